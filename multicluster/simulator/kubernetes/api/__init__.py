"""The API server: from an HTTP request to an answer in the words of a real one."""
