"""Files as the browser sees them: listed, shown, uploaded."""
