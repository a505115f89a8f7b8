"""The invoicer's slow work: runs, documents, mails, reports. One module per kind of job."""
