"""What Slack accepts in a message, as models of the Block Kit reference.

Independent of the limits that the bot checks itself with, and stricter in one way: unknown keys are
refused.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator


class StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def limited_text(most: int, least: int = 1) -> Any:
    return Annotated[str, Field(min_length=least, max_length=most)]


# Lengths are those of the pages of each block and element.
class PlainText(StrictModel):
    type: Literal["plain_text"]
    text: limited_text(3000)  # type: ignore[valid-type]
    emoji: bool = True


class Mrkdwn(StrictModel):
    type: Literal["mrkdwn"]
    text: limited_text(3000)  # type: ignore[valid-type]
    verbatim: bool = False


AnyText = Annotated[PlainText | Mrkdwn, Field(discriminator="type")]


class Button(StrictModel):
    type: Literal["button"]
    text: PlainText
    action_id: limited_text(255)  # type: ignore[valid-type]
    value: limited_text(2000) | None = None  # type: ignore[valid-type]
    url: limited_text(3000) | None = None  # type: ignore[valid-type]
    style: Literal["primary", "danger"] | None = None

    @model_validator(mode="after")
    def _short(self) -> Button:
        if len(self.text.text) > 75:
            raise ValueError("button text is longer than 75 characters")
        return self


class BlockModel(StrictModel):
    block_id: limited_text(255) | None = None  # type: ignore[valid-type]


class Header(BlockModel):
    type: Literal["header"]
    text: PlainText

    @model_validator(mode="after")
    def _short(self) -> Header:
        if len(self.text.text) > 150:
            raise ValueError("header is longer than 150 characters")
        return self


class Section(BlockModel):
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


class Context(BlockModel):
    type: Literal["context"]
    elements: Annotated[list[AnyText], Field(min_length=1, max_length=10)]


class Divider(BlockModel):
    type: Literal["divider"]


class Actions(BlockModel):
    type: Literal["actions"]
    elements: Annotated[list[Button], Field(min_length=1, max_length=25)]

    @model_validator(mode="after")
    def _unique(self) -> Actions:
        if max(Counter(e.action_id for e in self.elements).values()) > 1:
            raise ValueError("action_id is unique within its block")
        return self


class RawText(StrictModel):
    type: Literal["raw_text"]
    text: limited_text(3000)  # type: ignore[valid-type]


class RawNumber(StrictModel):
    type: Literal["raw_number"]
    value: int | float
    text: limited_text(3000)  # type: ignore[valid-type]


Cell = Annotated[RawText | RawNumber, Field(discriminator="type")]


class DataTable(BlockModel):
    type: Literal["data_table"]
    caption: limited_text(300)  # type: ignore[valid-type]
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


class TaskCard(BlockModel):
    type: Literal["task_card"]
    task_id: limited_text(255)  # type: ignore[valid-type]
    title: limited_text(255)  # type: ignore[valid-type]
    status: Literal["pending", "in_progress", "complete", "error"]
    details: RichText | None = None
    output: RichText | None = None


class Plan(BlockModel):
    type: Literal["plan"]
    title: limited_text(255)  # type: ignore[valid-type]
    tasks: Annotated[list[TaskCard], Field(min_length=1)]


class Table(BlockModel):
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


class Point(StrictModel):
    label: limited_text(20)  # type: ignore[valid-type]
    value: int | float


class Series(StrictModel):
    name: limited_text(20)  # type: ignore[valid-type]
    data: Annotated[list[Point], Field(min_length=1, max_length=20)]


class Axis(StrictModel):
    categories: Annotated[list[limited_text(20)], Field(min_length=1, max_length=20)]  # type: ignore[valid-type]
    x_label: limited_text(50) | None = None  # type: ignore[valid-type]
    y_label: limited_text(50) | None = None  # type: ignore[valid-type]


class Chart(StrictModel):
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


class DataVisualization(BlockModel):
    type: Literal["data_visualization"]
    title: limited_text(50)  # type: ignore[valid-type]
    chart: Chart


class Image(BlockModel):
    type: Literal["image"]
    image_url: limited_text(3000) | None = None  # type: ignore[valid-type]
    slack_file: dict[str, str] | None = None
    alt_text: limited_text(2000)  # type: ignore[valid-type]
    title: PlainText | None = None


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
MESSAGE_BLOCKS: TypeAdapter[list[Any]] = TypeAdapter(list[AnyBlock])


def complaints(
    blocks: Any, *, most: int, kinds: TypeAdapter[list[Any]] = MESSAGE_BLOCKS
) -> list[str]:
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
