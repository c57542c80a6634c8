//! Tables: hazards D12, D25, O12, O13, O25.

use super::expanded::scalar;
use super::with_every_choice;

const TABLE: &str = "AWS::DynamoDB::Table";

#[test]
fn tables_can_be_restored_and_cost_nothing_idle() {
    with_every_choice(|stack| {
        assert!(stack.of_kind(TABLE).count() >= 2, "ledger and records");
        for table in stack.of_kind(TABLE) {
            let id = &table.id;
            assert_eq!(table.at("/BillingMode"), "PAY_PER_REQUEST", "{id}");
            assert_eq!(
                table.at("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled"),
                true,
                "{id}"
            );
            let protected = stack.parameters["OnDelete"] == "Retain";
            assert_eq!(table.at("/DeletionProtectionEnabled"), protected, "{id}");
        }
    });
}

#[test]
fn a_customer_key_encrypts_the_tables_too() {
    with_every_choice(|stack| {
        for table in stack.of_kind(TABLE) {
            let key = stack.resource_behind(&scalar(table.at("/SSESpecification/KMSMasterKeyId")));
            if stack.uses_customer_keys() {
                assert_eq!(table.at("/SSESpecification/SSEType"), "KMS", "{}", table.id);
                assert_eq!(key.map(|key| key.kind.as_str()), Some("AWS::KMS::Key"), "{}", table.id);
            } else {
                assert!(table.at("/SSESpecification").is_null(), "{}", table.id);
            }
        }
    });
}

#[test]
fn what_the_ledger_knows_does_not_expire() {
    with_every_choice(|stack| {
        assert!(stack.resource("LedgerTable").at("/TimeToLiveSpecification").is_null());
    });
}
