//! Tables: hazards D12, D25, O12, O13, O25.

use super::expanded::{list, scalar};
use super::permissions::statements;
use super::with_every_choice;

const TABLE: &str = "AWS::DynamoDB::Table";

#[test]
fn tables_can_be_restored_and_cost_nothing_idle() {
    with_every_choice(|stack| {
        assert!(stack.of_kind(TABLE).count() >= 4, "ledger, records, partners and audit");
        for table in stack.of_kind(TABLE) {
            let id = &table.id;
            assert_eq!(table.at("/BillingMode"), "PAY_PER_REQUEST", "{id}");
            assert_eq!(
                table.at("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled"),
                true,
                "{id}"
            );
            let protected = stack.parameters["OnDelete"] != "Delete";
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
        for id in ["LedgerTable", "RecordsTable", "AuditTable"] {
            assert!(stack.resource(id).at("/TimeToLiveSpecification").is_null(), "{id}");
        }
    });
}

#[test]
fn requests_limits_and_promises_expire_by_themselves() {
    with_every_choice(|stack| {
        let ends = stack.resource("PartnersTable").at("/TimeToLiveSpecification");
        assert_eq!((&ends["AttributeName"], &ends["Enabled"]), (&"ends".into(), &true.into()));
    });
}

#[test]
fn a_partners_files_are_found_without_a_scan() {
    with_every_choice(|stack| {
        let indexes =
            stack.resource("LedgerTable").at("/GlobalSecondaryIndexes").as_array().expect("indexes");
        assert_eq!(indexes.len(), 3);
        let index = &indexes[0];
        assert_eq!(index["IndexName"], "by-partner");
        let keys: Vec<_> = index["KeySchema"].as_array().expect("keys").iter().collect();
        let named =
            |name: &str| keys.iter().find(|key| key["AttributeName"] == name).map(|key| &key["KeyType"]);
        assert_eq!((named("partner"), named("order")), (Some(&"HASH".into()), Some(&"RANGE".into())));
        let projected = super::expanded::list(&index["Projection"]["NonKeyAttributes"]);
        assert_eq!(projected, ["feed", "state", "outcome", "bucket", "key", "version"]);
    });
}

#[test]
fn open_files_are_found_by_partner_and_name() {
    with_every_choice(|stack| {
        let index = &stack.resource("LedgerTable").at("/GlobalSecondaryIndexes")[1];
        assert_eq!(index["IndexName"], "open-by-partner");
        let keys: Vec<_> = index["KeySchema"].as_array().expect("keys").iter().collect();
        let named: Vec<_> = keys.iter().map(|key| (&key["AttributeName"], &key["KeyType"])).collect();
        assert_eq!(named, [(&"open_for".into(), &"HASH".into()), (&"key".into(), &"RANGE".into())]);
        let projected = super::expanded::list(&index["Projection"]["NonKeyAttributes"]);
        assert_eq!(projected, ["feed", "state", "outcome", "order"]);
    });
}

#[test]
fn dead_loads_are_found_by_shard_and_age() {
    with_every_choice(|stack| {
        let index = &stack.resource("LedgerTable").at("/GlobalSecondaryIndexes")[2];
        assert_eq!(index["IndexName"], "dead-by-shard");
        let keys: Vec<_> = index["KeySchema"].as_array().expect("keys").iter().collect();
        let named: Vec<_> = keys.iter().map(|key| (&key["AttributeName"], &key["KeyType"])).collect();
        assert_eq!(named, [(&"dead_shard".into(), &"HASH".into()), (&"dead_since".into(), &"RANGE".into())]);
        assert_eq!(index["Projection"]["ProjectionType"], "KEYS_ONLY");
    });
}

#[test]
fn nobody_may_change_or_delete_an_act() {
    with_every_choice(|stack| {
        let audit = stack.resource("AuditTable");
        let denied: Vec<_> = statements(audit.at("/ResourcePolicy/PolicyDocument"));
        assert_eq!(denied.len(), 1, "{denied:?}");
        assert_eq!((&denied[0]["Effect"], &denied[0]["Principal"]), (&"Deny".into(), &"*".into()));
        assert!(denied[0]["Condition"].is_null(), "without an exception");
        let actions = list(&denied[0]["Action"]);
        for action in [
            "UpdateItem",
            "DeleteItem",
            "BatchWriteItem",
            "PartiQLInsert",
            "PartiQLUpdate",
            "PartiQLDelete",
            "UpdateTimeToLive",
        ] {
            assert!(actions.contains(&format!("dynamodb:{action}")), "{action}");
        }
        let name = scalar(audit.at("/TableName"));
        assert!(scalar(&denied[0]["Resource"]).ends_with(&format!(":table/{name}")), "{denied:?}");
    });
}

#[test]
fn acts_are_found_by_partner_feed_and_file_without_a_scan() {
    with_every_choice(|stack| {
        let indexes = stack.resource("AuditTable").at("/GlobalSecondaryIndexes");
        let indexes = indexes.as_array().expect("indexes");
        for (index, key) in indexes.iter().zip(["partner", "feed", "file"]) {
            assert_eq!(index["IndexName"], format!("by-{key}"));
            let keys: Vec<_> = index["KeySchema"].as_array().expect("keys").iter().collect();
            let named: Vec<_> = keys.iter().map(|key| (&key["AttributeName"], &key["KeyType"])).collect();
            assert_eq!(named, [(&key.into(), &"HASH".into()), (&"sk".into(), &"RANGE".into())]);
            assert_eq!(index["Projection"]["ProjectionType"], "ALL");
        }
        assert_eq!(indexes.len(), 3);
    });
}
