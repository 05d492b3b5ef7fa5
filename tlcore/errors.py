"""Errors that are meant for the person using Thaw.

    UserError            anything that a user can understand and mend
    ├── UploadError      what was brought in could not be taken (archive, path, disk)
    │   ├── FetchError   it could not be fetched from the internet; it can be tried again
    │   └── DiskFull     the disk has no room for it; what has arrived stays, and it can go on
    ├── DatasetError     the pictures cannot be trained on as they are
    ├── RecipeError      a choice that is out of range or does not fit the others
    ├── WeightsError     pretrained weights are missing, cut short or not what they should be
    ├── TrainingError    training could not go on
    │   ├── OutOfMemory  the device has too little memory for the chosen batch
    │   └── Unstable     the numbers grew out of all bounds; a run that goes on does so with lower learning rates
    └── ExportError      a model could not be written, or does not answer as it should

Pages and the command line catch ``UserError`` and nothing else; any other exception is a bug in Thaw.
Wrong arguments inside ``tlcore`` are plain ``ValueError``: what is allowed, then "Received: ...".
"""


class UserError(Exception):
    """Something a user can understand and mend.

    Args:
        problem: What we found, and what it means where that is not obvious. Full sentences.
        advice: What to do next. Full sentences.
        detail: Technical text for those who ask for it; never shown by default.
    """

    def __init__(self, problem: str, advice: str, detail: str = "") -> None:
        super().__init__(f"{problem} {advice}".strip())
        self.problem = problem
        self.advice = advice
        self.detail = detail


class UploadError(UserError):
    """What was brought in could not be taken."""


class FetchError(UploadError):
    """It could not be fetched from the internet; what was asked for stays, and it can be tried again."""


class DiskFull(UploadError):
    """The disk has no room for what is brought in; what has arrived stays, and it can go on."""


class DatasetError(UserError):
    """The pictures cannot be trained on as they are."""


class RecipeError(UserError):
    """A choice that is out of range or does not fit the others."""


class WeightsError(UserError):
    """Pretrained weights are missing, cut short or not what they should be."""


class TrainingError(UserError):
    """Training could not go on."""


class OutOfMemory(TrainingError):
    """The device has too little memory for the chosen batch."""


class Unstable(TrainingError):
    """The numbers grew out of all bounds; a run that goes on does so with lower learning rates."""


class ExportError(UserError):
    """A model could not be written, or does not answer as it should."""
