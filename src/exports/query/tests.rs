use super::*;

fn table(columns: &[(&str, &str)], partitions: &[(&str, &str)]) -> Table {
    let column = |(name, of): &(&str, &str)| TableColumn {
        name: (*name).to_owned(),
        of: (*of).to_owned(),
    };
    Table {
        database: "billing".to_owned(),
        name: "cur".to_owned(),
        columns: columns.iter().map(column).collect(),
        partitions: partitions.iter().map(column).collect(),
        is_view: false,
    }
}

const COLUMNS: [(&str, &str); 8] = [
    ("line_item_usage_start_date", "timestamp"),
    ("line_item_line_item_type", "string"),
    ("line_item_product_code", "string"),
    ("line_item_usage_type", "string"),
    ("line_item_usage_amount", "double"),
    ("line_item_unblended_cost", "double"),
    ("line_item_currency_code", "string"),
    ("bill_billing_period_start_date", "timestamp"),
];

fn query(table: &Table) -> Query {
    let month = "2026-04".parse().expect("a month");
    let options = ImportOptions::default();
    Query::new(table, month, &Catalog::default(), &options).expect("an export")
}

#[test]
fn a_month_is_found_by_folders_or_else_by_rows() {
    let by_day =
        |column| format!("substr(CAST(CAST(\"{column}\" AS DATE) AS VARCHAR), 1, 7) = '2026-04'");
    for (partitions, filter) in [
        (
            &[("billing_period", "string")][..],
            "\"billing_period\" IN ('2026-04')".to_owned(),
        ),
        (&[("billing_period", "date")], by_day("billing_period")),
        (
            &[("year", "string"), ("month", "string")],
            "\"year\" IN ('2026') AND \"month\" IN ('04', '4')".to_owned(),
        ),
        (
            &[("Year", "integer"), ("Month", "bigint")],
            "\"Year\" IN (2026) AND \"Month\" IN (4)".to_owned(),
        ),
        (&[], by_day("bill_billing_period_start_date")),
    ] {
        for (more, kind) in [
            ("resource_tags", ExportKind::Cur2),
            ("product_product_name", ExportKind::LegacyCur),
        ] {
            let columns = [&COLUMNS[..], &[(more, "string")]].concat();
            let query = query(&table(&columns, partitions));
            assert_eq!(query.kind, kind);
            assert_eq!(query.is_pruned, !partitions.is_empty());
            let wanted = format!("WHERE {filter}\n");
            assert!(query.sql.contains(&wanted), "{}", query.sql);
        }
    }
}

#[test]
fn a_name_cannot_leave_its_quotes() {
    let hostile = "resource_tags_user_x\" FROM \"y\" -- '";
    let mut columns = COLUMNS.to_vec();
    columns.push((hostile, "string"));
    let sql = query(&table(&columns, &[])).sql;
    let quoted = "\"resource_tags_user_x\"\" FROM \"\"y\"\" -- '\"";
    assert_eq!(
        sql.matches("FROM \"\"y").count(),
        sql.matches(quoted).count()
    );
    assert!(sql.contains(quoted), "{sql}");
}

#[test]
fn what_is_no_export_is_refused() {
    let month = "2026-04".parse().expect("a month");
    let some = table(&COLUMNS[..5], &[]);
    let options = ImportOptions::default();
    let done = Query::new(&some, month, &Catalog::default(), &options);
    assert!(matches!(done, Err(ImportError::MissingColumns { .. })));
}
