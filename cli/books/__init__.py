"""The books as a person or an auditor wants them: statements and exports, made from the topics."""
