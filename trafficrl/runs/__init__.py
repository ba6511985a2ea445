"""Run folders, seeds and provenance: what makes a result findable and repeatable."""
