"""Heavy work of the workbench, done in processes of its own; torch may be imported here."""
