"""Output of the operators' operations on invoices."""

from rest_framework import serializers

from igny8_core.business.billing.serializers import InvoiceOutput


class OperatorInvoiceOutput(InvoiceOutput):
    account_id = serializers.IntegerField()
    account_name = serializers.CharField(source="account.name")
    notes = serializers.CharField(help_text="Printed on the invoice; can be empty")
    void_reason = serializers.CharField(help_text="Why it was voided; empty if it was not")
