"""The mathematics: detached records become a model."""
