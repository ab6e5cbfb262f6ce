"""Forms of jobs: fields from the schema, values as they are typed, results that fit an input."""
