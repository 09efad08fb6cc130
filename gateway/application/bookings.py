"""From proved facts to journals: gathers what the recipes in `domain/postings.py` need. No other module builds legs."""
