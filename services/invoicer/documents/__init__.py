"""What finance and guests get to see: PDF, workbook, UBL and mail, made from plain values."""
