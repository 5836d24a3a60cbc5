"""A plant in and out: workbook and folder of CSV files."""
