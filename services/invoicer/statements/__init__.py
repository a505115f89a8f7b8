"""The printout of transactions of an account, or of all: as workbook, PDF and mail."""
