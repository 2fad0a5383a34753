//! Laws of reading and keeping: any bytes, any record, any amount.

use std::sync::Arc;

use chrono::NaiveDate;
use pipebill::{
    domain::{
        export::{ExportKind, ImportedPeriod, Standing},
        ids::{AccountId, Currency, Meter, Region, ResourceId},
        money::Money,
        quantity::{Quantity, Unit},
        usage::{Billed, ChargeKind, Commitment, Tags, UsageKey, UsageRecord},
    },
    exports::ImportOptions,
    ledger::Ledger,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{BUILD, CUR2_HEADER, cur2, cur2_row, day, gzip, import_bytes, import_text, month};

fn any_amount() -> impl Strategy<Value = Decimal> {
    (-10_000_000_000_000_i64..10_000_000_000_000, 0_u32..=12)
        .prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
}

fn any_record() -> impl Strategy<Value = UsageRecord> {
    let quantity = prop::option::of((any_amount(), 0..Unit::ALL.len()));
    let billed = prop::option::of((
        any_amount(),
        prop::option::of(any_amount()),
        prop::option::of("[0-9]{1,10}"),
    ));
    let tags = prop::collection::btree_map("[a-z:/]{1,5}", "\\PC{0,6}", 0..3);
    let ids = (prop::option::of("[0-9]{12}"), prop::option::of("\\PC{0,9}"));
    (1_u32..=31, quantity, billed, tags, ids).prop_map(|(day, quantity, billed, tags, ids)| {
        UsageRecord {
            month: month("2026-10"),
            day: NaiveDate::from_ymd_opt(2026, 10, day).unwrap(),
            last_day: NaiveDate::from_ymd_opt(2026, 10, day).unwrap(),
            key: UsageKey {
                payer: None,
                account: ids.0.map(AccountId::new),
                region: Region::new("eu-west-2"),
                meter: Meter::new("CodeBuild", "Build-Min:Linux:g1.small"),
            },
            kind: ChargeKind::Usage,
            resource: ids.1.map(ResourceId::new),
            tags: Tags::new(tags),
            quantity: quantity.map(|(value, unit)| Quantity::new(value, Unit::ALL[unit])),
            consumed: None,
            metering: None,
            billed: billed.map(|(cost, rate, invoice)| Billed {
                covered_by: rate.map(|_| Commitment::SavingsPlan),
                cost: Money::new(cost),
                rate,
                list_rate: rate,
                invoice: invoice.map(Arc::from),
            }),
            currency: Currency::new("USD"),
            origin: Arc::from("test"),
        }
    })
}

proptest! {
    #![proptest_config(crate::laws::cases(64))]

    #[test]
    fn no_bytes_make_the_reader_panic(
        head in prop::sample::select(vec![
            String::new(),
            CUR2_HEADER.to_owned(),
            cur2(&[BUILD]),
            "\"Service\",\"CodeBuild($)\"\n".to_owned(),
            "{\"ResultsByTime\":[".to_owned(),
        ]),
        // Text of single characters hardly ever has a row as wide as a header: rows are made of fields.
        rows in prop::collection::vec(prop::collection::vec("[-0-9T:.{}E]{0,6}", 1..25), 0..6),
        tail in prop::collection::vec(any::<u8>(), 0..200),
        text in "[-0-9T:.,\"\n{}E]{0,80}",
        packed in any::<bool>(),
    ) {
        let rows: String = rows.iter().map(|row| row.join(",") + "\n").collect();
        let mut bytes = [head.as_bytes(), rows.as_bytes(), text.as_bytes(), &tail].concat();
        if packed {
            bytes = gzip(&bytes);
            bytes.extend(tail);
        }
        let options = ImportOptions { skip_bad_rows: true, ..ImportOptions::default() };
        if let Ok(delivery) = import_bytes("x", bytes, &options) {
            let mut ledger = Ledger::in_memory().unwrap();
            ledger.replace(&delivery.slices).unwrap();
            for month in ledger.months().unwrap() {
                ledger.records(month).unwrap();
            }
        }
    }

    #[test]
    fn the_ledger_returns_what_it_was_given(records in prop::collection::vec(any_record(), 0..20)) {
        let slice = ImportedPeriod {
            kind: ExportKind::Cur2,
            source: "1".to_owned(),
            month: month("2026-10"),
            covers: (day("2026-10-01"), day("2026-10-31")),
            whole_month: true,
            part: 0,
            records,
            other_services: Vec::new(),
            storage: Vec::new(),
            names_resources: true,
            skipped: 0,
            delivery: None,
            standing: Standing::default(),
        };
        let mut ledger = Ledger::in_memory().unwrap();
        ledger.replace(std::slice::from_ref(&slice)).unwrap();
        prop_assert_eq!(ledger.records(month("2026-10")).unwrap(), slice.records);
    }

    #[test]
    fn csv_to_ledger_to_records_keeps_every_decimal(
        rows in prop::collection::vec((any_amount(), any_amount(), 1_u32..=31), 1..40)
    ) {
        let mut text = CUR2_HEADER.to_owned();
        for (amount, cost, day) in &rows {
            let day = format!("2026-10-{day:02}");
            // Half of the amounts with an exponent, as some bills write them.
            let cost = if cost.scale() % 2 == 0 {
                format!("{}E-{}", cost.mantissa(), cost.scale())
            } else {
                cost.to_string()
            };
            text += &cur2_row([&day, "Usage", "CodeBuild", "Build-Min:Linux:g1.small", &amount.to_string(), &cost]);
        }
        let mut ledger = Ledger::in_memory().unwrap();
        ledger.replace(&import_text("x.csv", text).unwrap().slices).unwrap();
        let records = ledger.records(month("2026-10")).unwrap();
        let quantity: Decimal = records.iter().map(|r| r.quantity.unwrap().value).sum();
        let cost: Money = records.iter().map(|r| r.billed.as_ref().unwrap().cost).sum();
        prop_assert_eq!(quantity, rows.iter().map(|row| row.0).sum::<Decimal>());
        prop_assert_eq!(cost.amount(), rows.iter().map(|row| row.1).sum::<Decimal>());
    }
}
