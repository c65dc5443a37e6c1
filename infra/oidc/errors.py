"""What can go wrong with a provider."""


class ProviderDown(Exception):
    """The provider does not answer, or not as a provider does."""


class AnswerRefused(Exception):
    """What the provider answered does not hold, or it refuses; the message says which, and no secret."""
