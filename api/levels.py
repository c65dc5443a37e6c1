"""Levels as clients write and read them: by name."""

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from models.orgs import Level


class _Named:
    """Some of the levels, for the annotation of a field."""

    def __init__(self, *levels: Level) -> None:
        self._levels = {level.name.lower(): level for level in levels}

    @property
    def schema(self) -> WithJsonSchema:
        return WithJsonSchema({"type": "string", "enum": list(self._levels)})

    def parse(self, value: Any) -> Level:
        """Raises ValueError for anything but the name of one of them, or the level itself."""
        if isinstance(value, str) and value in self._levels:
            return self._levels[value]
        if isinstance(value, Level) and value in self._levels.values():
            return value
        raise ValueError(f"must be one of {', '.join(self._levels)}")


_any = _Named(*Level)
_granted = _Named(Level.READ, Level.COMMENT, Level.WRITE, Level.MANAGE)
_given = _Named(Level.NONE, Level.READ, Level.COMMENT, Level.WRITE)
_linked = _Named(Level.READ, Level.COMMENT, Level.WRITE)
_by_name = PlainSerializer(lambda level: level.name.lower(), return_type=str, when_used="json")

AnyLevel = Annotated[Level, BeforeValidator(_any.parse), _by_name, _any.schema]
GrantedLevel = Annotated[Level, BeforeValidator(_granted.parse), _by_name, _granted.schema]
"""What somebody or a group can be granted."""
OrgLevel = Annotated[Level, BeforeValidator(_given.parse), _by_name, _given.schema]
"""What a document can give to the whole organization."""
LinkLevel = Annotated[Level, BeforeValidator(_linked.parse), _by_name, _linked.schema]
"""What a link can give."""
