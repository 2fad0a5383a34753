//! What the values of a row mean.

use pipebill::{
    domain::ids::{Region, ServiceCode},
    exports::ImportOptions,
    ledger::Ledger,
};

use super::{
    BUILD, CUR2_HEADER, build_of, cost, cur2, cur2_row, day, import_bytes, import_text, month,
    quantity, records,
};

#[test]
fn both_forms_of_a_timestamp_and_exponents_are_the_same_charge() {
    let mut other = build_of("1E+1", "5E-2");
    other[0] = "2026-10-05 23:59:59+00:00";
    let delivery = import_text("x.csv", cur2(&[BUILD, other])).unwrap();
    assert_eq!(records(&delivery).len(), 1);
    assert_eq!(
        quantity(records(&delivery)[0]).as_deref(),
        Some("20 minutes")
    );
    assert_eq!(cost(&delivery), "0.1");
}

#[test]
fn null_is_absent_and_not_zero() {
    let delivery = import_text("x.csv", cur2(&[build_of("NULL", "0.05")])).unwrap();
    assert_eq!(records(&delivery)[0].quantity, None);
    let error = import_text("x.csv", cur2(&[build_of("1", "NULL")])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.csv, line 2, column line_item_unblended_cost: there is no value"
    );
}

#[test]
fn an_unknown_line_type_is_kept_and_named() {
    let mut row = BUILD;
    row[1] = "SolarSurcharge";
    let delivery = import_text("x.csv", cur2(&[row, BUILD])).unwrap();
    assert_eq!(cost(&delivery), "0.1");
    assert_eq!(
        delivery.notes,
        [
            "cur2 x.csv: line type `SolarSurcharge` is none we know: 1 row, cost 0.05 USD, kept as they are"
        ]
    );
}

#[test]
fn an_unknown_usage_type_is_kept_and_named_with_its_cost() {
    let mut row = BUILD;
    row[3] = "EUW2-Build-Min:Quantum";
    let delivery = import_text("x.csv", cur2(&[row, row])).unwrap();
    assert_eq!(records(&delivery)[0].key.region, Region::new("eu-west-2"));
    assert_eq!(
        delivery.notes,
        [
            "cur2 x.csv: the catalogue has no meter CodeBuild:Build-Min:Quantum: 2 rows, cost 0.1 USD, kept as billed"
        ]
    );
}

#[test]
fn other_services_are_summed_unless_they_are_asked_for() {
    let mut row = BUILD;
    (row[2], row[3]) = ("AmazonS3", "EUW2-Requests-Tier1");
    let text = cur2(&[row, row, BUILD]);
    let delivery = import_text("x.csv", &text).unwrap();
    let outside = &delivery.slices[0].other_services[0];
    assert_eq!((outside.service.as_str(), outside.rows), ("AmazonS3", 2));
    assert_eq!(outside.cost.to_string(), "0.1");
    let options = ImportOptions {
        include_services: vec![ServiceCode::new("AmazonS3")],
        ..ImportOptions::default()
    };
    let delivery = import_bytes("x.csv", &text, &options).unwrap();
    assert_eq!(delivery.slices[0].other_services, []);
    assert_eq!(delivery.files[0].rows_kept, 3);
}

#[test]
fn a_late_refund_stays_in_the_month_it_is_billed_in() {
    let mut refund = build_of("1", "-0.05");
    (refund[0], refund[1]) = ("2026-08-30T00:00:00Z", "Refund");
    let delivery = import_text("x.csv", cur2(&[refund])).unwrap();
    let record = records(&delivery)[0];
    assert_eq!(
        (record.month, record.day),
        (month("2026-10"), day("2026-08-30"))
    );
    let mut ledger = Ledger::in_memory().unwrap();
    ledger.replace(&delivery.slices).unwrap();
    assert_eq!(ledger.months().unwrap(), [month("2026-10")]);
    assert_eq!(ledger.records(month("2026-10")).unwrap().len(), 1);
    let august = ledger
        .records_between(day("2026-08-01"), day("2026-08-31"))
        .unwrap();
    assert_eq!(august.len(), 1);
}

/// Rows that were seen before are added up by their text. What does not stand there is not in it.
#[test]
fn a_row_without_its_bill_is_of_the_month_of_its_usage() {
    let days = ["2026-09-30", "2026-10-01", "2026-09-30", "2026-10-01"];
    let rows = days.map(|day| {
        let time = format!("{day}T01:00:00Z");
        cur2_row([&time, "Usage", "AmazonS3", "Requests-Tier1", "1", "0.1"])
    });
    let plain = format!("{CUR2_HEADER}{}", rows.concat()).replace(",2026-10-01T00:00:00Z,2", ",,2");
    let quoted: String = plain
        .lines()
        .map(|line| format!("\"{}\"\n", line.replace(',', "\",\"")))
        .collect();
    for text in [plain, quoted] {
        let delivery = import_text("x.csv", text).unwrap();
        let sums = delivery.slices.iter().map(|slice| {
            let outside = &slice.other_services[0];
            (
                slice.month.to_string(),
                outside.rows,
                outside.cost.to_string(),
            )
        });
        let of = |month: &str| (month.to_owned(), 2, "0.2".to_owned());
        assert_eq!(sums.collect::<Vec<_>>(), [of("2026-09"), of("2026-10")]);
    }
}
