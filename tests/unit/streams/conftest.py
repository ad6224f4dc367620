"""Property tests of the pure decisions: a failure prints the blob that replays exactly its example."""

from hypothesis import settings

settings.register_profile("streams", parent=settings.get_profile("any pace"), print_blob=True)
settings.load_profile("streams")
