"""What the modelling layer refuses, each with its own name."""

from __future__ import annotations


class LXError(Exception):
    """Anything that the modelling layer refuses."""


class LXModelError(LXError):
    """A model that says something wrong: a name, a key, a bound, a coefficient."""


class LXNotLoadedError(LXError, AttributeError):
    """A field or relation of a detached record that was not loaded when it was detached."""


class LXCopyError(LXError):
    """Bytes that are no model copy, or one of another format version."""


class LXDetachError(LXError):
    """Something that can't be had without its database: a queryset, session, connection or file in a function."""


class LXSolverError(LXError):
    """A solver that is not there, refused an option, or failed."""


class LXUnsupportedError(LXSolverError):
    """Not supported: this solver lacks the feature, whatever the model. The message names solvers that have it."""


class LXNotNowError(LXSolverError):
    """Not now: what is there in general, but not in this state, such as the values of a model without a plan."""
