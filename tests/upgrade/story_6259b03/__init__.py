"""What happened in the database of the dump: half a year of customers, told to the services of commit 6259b03."""
