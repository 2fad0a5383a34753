//! Which column of the console's file is the total.

use rust_decimal::Decimal;

use super::{Costs, Table, grouping};
use crate::domain::catalog::Catalog;

/// Finds the column that is the sum of the others.
pub(super) fn total_column(
    table: &Table,
    columns: &[Costs<'_>],
    catalog: &Catalog,
) -> Option<usize> {
    let [only] = columns else {
        return total_of_several(table, columns, catalog);
    };
    // Alone, whatever is no group is the total.
    let is_group = grouping::is_group(catalog, only.label);
    (!is_group).then_some(only.field)
}

fn total_of_several(table: &Table, columns: &[Costs<'_>], catalog: &Catalog) -> Option<usize> {
    let all = table.amounts.iter().map(|row| &row.costs);
    let full = table
        .total
        .iter()
        .filter(|costs| costs.len() == columns.len());
    let rows: Vec<&Vec<Option<Decimal>>> = all.chain(full).collect();
    let tolerance = tolerance(&rows);
    let fits = |at: usize, row: &[Option<Decimal>]| {
        let own = row[at].unwrap_or_default();
        let others: Decimal = row.iter().flatten().sum::<Decimal>() - own;
        (own - others).abs() <= tolerance
    };
    let is_candidate = |at: &usize| !grouping::is_group(catalog, columns[*at].label);
    let is_named = |at: &usize| grouping::is_total(columns[*at].label);
    // Of several the last: with a single group, the total is what the group is.
    let candidates = || (0..columns.len()).rev().filter(is_candidate);
    let whole = || candidates().filter(|at| rows.iter().all(|row| fits(*at, row)));
    let found = whole()
        .find(is_named)
        .or_else(|| whole().next())
        .or_else(|| candidates().find(is_named))
        .or_else(|| {
            // Somebody changed a value: most rows still tell.
            candidates().find(|at| {
                let told = rows
                    .iter()
                    .filter(|row| !row[*at].unwrap_or_default().is_zero());
                let (count, fit) = told.fold((0, 0), |(count, fit), row| {
                    (count + 1, fit + u32::from(fits(*at, row)))
                });
                fit * 2 > count
            })
        });
    found.map(|at| columns[at].field)
}

/// Returns what the rounding of each column, to the places that the file has, makes of a sum.
pub(super) fn tolerance(rows: &[&Vec<Option<Decimal>>]) -> Decimal {
    let costs = rows.iter().flat_map(|row| row.iter().flatten());
    let places = costs.map(|cost| cost.normalize().scale()).max();
    let half = Decimal::new(5, (places.unwrap_or_default() + 1).clamp(3, 28));
    half * Decimal::from(rows.first().map_or(0, |row| row.len() as u64))
}
