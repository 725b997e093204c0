"""What Slack accepts in a message or a view, as models of the Block Kit reference.

Independent of the limits that the bot checks itself with, and stricter in one way: unknown keys are
refused.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _string(most: int, least: int = 1) -> Any:
    return Annotated[str, Field(min_length=least, max_length=most)]


# Lengths are those of the pages of each block and element.
class PlainText(_Strict):
    type: Literal["plain_text"]
    text: _string(3000)  # type: ignore[valid-type]
    emoji: bool = True


class Mrkdwn(_Strict):
    type: Literal["mrkdwn"]
    text: _string(3000)  # type: ignore[valid-type]
    verbatim: bool = False


AnyText = Annotated[PlainText | Mrkdwn, Field(discriminator="type")]


class Button(_Strict):
    type: Literal["button"]
    text: PlainText
    action_id: _string(255)  # type: ignore[valid-type]
    value: _string(2000) | None = None  # type: ignore[valid-type]
    url: _string(3000) | None = None  # type: ignore[valid-type]
    style: Literal["primary", "danger"] | None = None

    @model_validator(mode="after")
    def _short(self) -> Button:
        if len(self.text.text) > 75:
            raise ValueError("button text is longer than 75 characters")
        return self


class _Block(_Strict):
    block_id: _string(255) | None = None  # type: ignore[valid-type]


class Header(_Block):
    type: Literal["header"]
    text: PlainText

    @model_validator(mode="after")
    def _short(self) -> Header:
        if len(self.text.text) > 150:
            raise ValueError("header is longer than 150 characters")
        return self


class Section(_Block):
    type: Literal["section"]
    text: AnyText | None = None
    fields: Annotated[list[AnyText], Field(min_length=1, max_length=10)] | None = None
    accessory: Button | None = None

    @model_validator(mode="after")
    def _something(self) -> Section:
        if self.text is None and self.fields is None:
            raise ValueError("a section has text or fields")
        if any(len(f.text) > 2000 for f in self.fields or []):
            raise ValueError("a field is longer than 2000 characters")
        return self


class Context(_Block):
    type: Literal["context"]
    elements: Annotated[list[AnyText], Field(min_length=1, max_length=10)]


class Divider(_Block):
    type: Literal["divider"]


class Actions(_Block):
    type: Literal["actions"]
    elements: Annotated[list[Button], Field(min_length=1, max_length=25)]

    @model_validator(mode="after")
    def _unique(self) -> Actions:
        if max(Counter(e.action_id for e in self.elements).values()) > 1:
            raise ValueError("action_id is unique within its block")
        return self


class RawText(_Strict):
    type: Literal["raw_text"]
    text: _string(3000)  # type: ignore[valid-type]


class RawNumber(_Strict):
    type: Literal["raw_number"]
    value: int | float
    text: _string(3000)  # type: ignore[valid-type]


Cell = Annotated[RawText | RawNumber, Field(discriminator="type")]


class DataTable(_Block):
    type: Literal["data_table"]
    caption: _string(300)  # type: ignore[valid-type]
    page_size: Annotated[int, Field(ge=1, le=100)] = 5
    rows: Annotated[
        list[Annotated[list[Cell], Field(min_length=1, max_length=20)]],
        Field(min_length=2, max_length=101),
    ]

    @model_validator(mode="after")
    def _rectangular(self) -> DataTable:
        if len({len(row) for row in self.rows}) != 1:
            raise ValueError("rows are of equal length")
        return self


class RichText(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: Literal["rich_text"]
    elements: list[dict[str, Any]]


class TaskCard(_Block):
    type: Literal["task_card"]
    task_id: _string(255)  # type: ignore[valid-type]
    title: _string(255)  # type: ignore[valid-type]
    status: Literal["pending", "in_progress", "complete", "error"]
    details: RichText | None = None
    output: RichText | None = None


class Plan(_Block):
    type: Literal["plan"]
    title: _string(255)  # type: ignore[valid-type]
    tasks: Annotated[list[TaskCard], Field(min_length=1)]


class Table(_Block):
    type: Literal["table"]
    rows: Annotated[
        list[
            Annotated[
                list[Annotated[RawText | RichText, Field(discriminator="type")]],
                Field(min_length=1, max_length=20),
            ]
        ],
        Field(min_length=1, max_length=100),
    ]
    column_settings: list[dict[str, Any]] | None = None


class Point(_Strict):
    label: _string(20)  # type: ignore[valid-type]
    value: int | float


class Series(_Strict):
    name: _string(20)  # type: ignore[valid-type]
    data: Annotated[list[Point], Field(min_length=1, max_length=20)]


class Axis(_Strict):
    categories: Annotated[list[_string(20)], Field(min_length=1, max_length=20)]  # type: ignore[valid-type]
    x_label: _string(50) | None = None  # type: ignore[valid-type]
    y_label: _string(50) | None = None  # type: ignore[valid-type]


class Chart(_Strict):
    type: Literal["bar", "line", "area"]
    series: Annotated[list[Series], Field(min_length=1, max_length=6)]
    axis_config: Axis

    @model_validator(mode="after")
    def _labels_match(self) -> Chart:
        for series in self.series:
            if [point.label for point in series.data] != self.axis_config.categories:
                raise ValueError("series labels equal the categories")
        if len(set(self.axis_config.categories)) != len(self.axis_config.categories):
            raise ValueError("categories are unique")
        return self


class DataVisualization(_Block):
    type: Literal["data_visualization"]
    title: _string(50)  # type: ignore[valid-type]
    chart: Chart


class Image(_Block):
    type: Literal["image"]
    image_url: _string(3000) | None = None  # type: ignore[valid-type]
    slack_file: dict[str, str] | None = None
    alt_text: _string(2000)  # type: ignore[valid-type]
    title: PlainText | None = None


class Option(_Strict):
    text: AnyText
    value: _string(150)  # type: ignore[valid-type]
    description: PlainText | None = None

    @model_validator(mode="after")
    def _short(self) -> Option:
        if len(self.text.text) > 75:
            raise ValueError("an option's text is longer than 75 characters")
        return self


class _Entry(_Strict):
    action_id: _string(255)  # type: ignore[valid-type]
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


class Input(_Block):
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


AnyBlock = Annotated[
    Header
    | Section
    | Context
    | Divider
    | Actions
    | TaskCard
    | Plan
    | Table
    | DataTable
    | DataVisualization
    | Image,
    Field(discriminator="type"),
]
_BLOCKS: TypeAdapter[list[Any]] = TypeAdapter(list[AnyBlock])
# Charts and tables are for messages only.
ModalBlock = Annotated[
    Header | Section | Context | Divider | Actions | Image | Input, Field(discriminator="type")
]
_MODAL_BLOCKS: TypeAdapter[list[Any]] = TypeAdapter(list[ModalBlock])


class Modal(_Strict):
    """A view as `views.open` accepts it, except for its blocks."""

    type: Literal["modal"]
    title: PlainText
    blocks: list[Any]
    submit: PlainText | None = None
    close: PlainText | None = None
    callback_id: _string(255) = ""  # type: ignore[valid-type]
    private_metadata: _string(3000, 0) = ""  # type: ignore[valid-type]
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


def complaints(blocks: Any, *, most: int, kinds: TypeAdapter[list[Any]] = _BLOCKS) -> list[str]:
    """What Slack would refuse in these blocks; empty if it accepts them."""
    if not isinstance(blocks, list):
        return ["blocks is not a list"]
    found = (
        [f"no more than {most} items allowed [json-pointer:/blocks]"] if len(blocks) > most else []
    )
    try:
        parsed = kinds.validate_python(blocks)
    except ValidationError as error:
        places = ("/".join(str(part) for part in detail["loc"]) for detail in error.errors())
        return found + [
            f"{detail['msg']} [json-pointer:/blocks/{place}]"
            for detail, place in zip(error.errors(), places, strict=True)
        ]
    if sum(1 for block in parsed if block.type == "data_visualization") > 2:
        found.append("only two charts allowed")
    if sum(1 for block in parsed if block.type == "table") > 1:
        found.append("only_one_table_allowed")
    ids = [block.block_id for block in parsed if block.block_id]
    if len(ids) != len(set(ids)):
        found.append("block_id is unique within its message")
    return found


def too_long(blocks: Any) -> bool:
    """Slack's undocumented `msg_blocks_too_long`, by the texts in the blocks."""
    # Observed at about this size (bolt-js#2509).
    return sum(len(text) for text in _texts(json.loads(json.dumps(blocks)))) > 13_200


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [
            value[key]
            for key in ("text", "label", "caption", "title")
            if isinstance(value.get(key), str)
        ]
        return own + [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []
