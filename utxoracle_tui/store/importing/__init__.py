"""Import: files of history and own exports, told apart by their first line, taken row by row."""
