"""The plant as detached records, scenario changes applied, all data problems at once."""
