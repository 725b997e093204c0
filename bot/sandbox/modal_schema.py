"""What Slack accepts in a modal, from its pages "Views" and "Input block"."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from bot.sandbox.block_kit_schema import (
    Actions,
    AnyText,
    BlockModel,
    Context,
    Divider,
    Header,
    Image,
    PlainText,
    Section,
    StrictModel,
    complaints,
    limited_text,
)


class Option(StrictModel):
    text: AnyText
    value: limited_text(150)  # type: ignore[valid-type]
    description: PlainText | None = None

    @model_validator(mode="after")
    def _short(self) -> Option:
        if len(self.text.text) > 75:
            raise ValueError("an option's text is longer than 75 characters")
        return self


class _Entry(StrictModel):
    action_id: limited_text(255)  # type: ignore[valid-type]
    placeholder: PlainText | None = None
    focus_on_load: bool = False

    @model_validator(mode="after")
    def _short_hint(self) -> _Entry:
        if self.placeholder and len(self.placeholder.text) > 150:
            raise ValueError("a placeholder is longer than 150 characters")
        return self


class TextEntry(_Entry):
    type: Literal["plain_text_input"]
    initial_value: str | None = None
    multiline: bool = False
    min_length: int | None = None
    max_length: Annotated[int, Field(ge=1, le=3000)] | None = None


class Select(_Entry):
    type: Literal["static_select"]
    options: Annotated[list[Option], Field(min_length=1, max_length=100)]
    initial_option: Option | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Select:
        if self.initial_option and self.initial_option not in self.options:
            raise ValueError("initial_option is one of the options")
        if len({option.value for option in self.options}) != len(self.options):
            raise ValueError("an option's value is unique")
        return self


class ExternalSelect(_Entry):
    type: Literal["external_select"]
    initial_option: Option | None = None
    min_query_length: int | None = None


class MultiExternalSelect(_Entry):
    type: Literal["multi_external_select"]
    initial_options: Annotated[list[Option], Field(min_length=1, max_length=100)] | None = None
    min_query_length: int | None = None
    max_selected_items: Annotated[int, Field(ge=1)] | None = None


class TimePicker(_Entry):
    type: Literal["timepicker"]
    initial_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None


class DatePicker(_Entry):
    type: Literal["datepicker"]
    initial_date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class Input(BlockModel):
    type: Literal["input"]
    label: PlainText
    element: Annotated[
        TextEntry | Select | ExternalSelect | MultiExternalSelect | TimePicker | DatePicker,
        Field(discriminator="type"),
    ]
    optional: bool = False
    hint: PlainText | None = None
    dispatch_action: bool = False

    @model_validator(mode="after")
    def _short(self) -> Input:
        if len(self.label.text) > 2000:
            raise ValueError("a label is longer than 2000 characters")
        return self


# Charts and tables are for messages only.
ModalBlock = Annotated[
    Header | Section | Context | Divider | Actions | Image | Input, Field(discriminator="type")
]


_MODAL_BLOCKS: TypeAdapter[list[Any]] = TypeAdapter(list[ModalBlock])


class Modal(StrictModel):
    """A view as `views.open` accepts it, except for its blocks."""

    type: Literal["modal"]
    title: PlainText
    blocks: list[Any]
    submit: PlainText | None = None
    close: PlainText | None = None
    callback_id: limited_text(255) = ""  # type: ignore[valid-type]
    private_metadata: limited_text(3000, 0) = ""  # type: ignore[valid-type]
    external_id: str = ""
    notify_on_close: bool = False
    clear_on_close: bool = False

    @model_validator(mode="after")
    def _short(self) -> Modal:
        for name in ("title", "submit", "close"):
            text = getattr(self, name)
            if text and len(text.text) > 24:
                raise ValueError(f"{name} is longer than 24 characters")
        if (
            any(isinstance(b, dict) and b.get("type") == "input" for b in self.blocks)
            and not self.submit
        ):
            raise ValueError("submit is required with inputs")
        return self


def view_complaints(view: Any) -> list[str]:
    """What Slack would refuse in a modal."""
    try:
        modal = Modal.model_validate(view)
    except ValidationError as error:
        return [
            f"{detail['msg']} [json-pointer:/view/{'/'.join(map(str, detail['loc']))}]"
            for detail in error.errors()
        ]
    return complaints(modal.blocks, most=100, kinds=_MODAL_BLOCKS)
