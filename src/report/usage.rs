//! Usage for people and files.

use super::{Block, Cell, Column, Document, Table};
use crate::domain::{allocation::Dimension, catalog::Catalog, usage_summary::UsageSum};

/// Lays out sums of usage.
pub fn document(sums: &[UsageSum], by: &[Dimension], title: String, catalog: &Catalog) -> Document {
    let mut columns: Vec<Column> = by
        .iter()
        .map(|dimension| Column::new(dimension.heading(), key(dimension), 0))
        .collect();
    columns.extend([
        Column::in_files("service"),
        Column::in_files("usage_type"),
        Column::shown("Service", 3),
        Column::shown("Meter", 0),
        Column::new("Usage", "quantity", 0),
        Column::in_files("unit"),
        Column::new("Days", "days", 4),
        Column::new("AWS charged", "aws_cost", 2),
        Column::in_files("currency"),
    ]);
    let mut table = Table::new(columns);
    for sum in sums {
        let service = &sum.meter.service;
        let name = catalog
            .meter(service, sum.meter.usage_type.as_str())
            .map(|info| info.name.as_str());
        let mut row: Vec<Cell> = sum
            .parts
            .iter()
            .zip(by)
            .map(|(part, dimension)| {
                Cell::text(part.clone().unwrap_or_else(|| dimension.residual()))
            })
            .collect();
        row.extend([
            Cell::text(service.as_str()),
            Cell::text(sum.meter.usage_type.as_str()),
            Cell::text(catalog.service_name(service)),
            Cell::text(name.unwrap_or(sum.meter.usage_type.as_str())),
            sum.quantity
                .map_or(Cell::Unknown("not stated".to_owned()), Cell::Quantity),
            sum.quantity
                .map_or(Cell::Empty, |quantity| Cell::text(quantity.unit.name())),
            Cell::Count(sum.days as u64),
            sum.billed
                .as_ref()
                .map_or(Cell::Empty, |(m, c)| Cell::Money(*m, c.clone())),
            sum.billed
                .as_ref()
                .map_or(Cell::Empty, |(_, c)| Cell::text(c.as_str())),
        ]);
        table.rows.push(row);
    }
    let blocks = vec![Block::Table(table)];
    Document {
        schema: "pipebill.usage/1",
        title,
        facts: Vec::new(),
        blocks,
    }
}

fn key(dimension: &Dimension) -> &'static str {
    match dimension {
        Dimension::Account => "account",
        Dimension::Resource => "project",
        Dimension::Tag(_) => "tag",
        Dimension::Service => "by_service",
        Dimension::Region => "region",
        Dimension::Meter => "meter",
        Dimension::Day => "day",
        Dimension::CostCenter(_) => "cost_center",
    }
}
