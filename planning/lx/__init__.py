"""The modelling layer: models over records, free of Django."""
