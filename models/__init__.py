"""The domain: tables, rules and the journal, free of any web or workflow framework."""
