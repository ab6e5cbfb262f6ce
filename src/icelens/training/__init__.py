"""How anything learns; knows no task."""
