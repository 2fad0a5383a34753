//! What is read of each column.

use parquet::schema::types::SchemaDescriptor;

use super::TextRow;
use super::place::{Place, Role, found, place};
use crate::exports::parquet::{form::Form, leaf::Leaf};
use crate::exports::{
    ImportError,
    layout::{Bound, Column},
    source::ReadAt,
};

/// The fields of a file that are read, and how.
pub(in crate::exports::parquet) struct Plan {
    pub(in crate::exports::parquet) width: usize,
    /// Read of every row.
    pub(in crate::exports::parquet) every: Vec<(usize, usize, Form)>,
    /// Read of every row as a number.
    pub(in crate::exports::parquet) cost: (usize, usize, Form),
    /// What is metered: read of every row where some rows may be storage of ours.
    pub(in crate::exports::parquet) metered: Vec<(usize, usize, Form)>,
    /// The resource: read of rows that are kept or may be storage of ours.
    pub(in crate::exports::parquet) resource: Option<(usize, usize, Form)>,
    /// Read of rows that are kept.
    pub(super) kept: Vec<(usize, Place)>,
}

/// What every row is looked at for.
pub(super) const EVERY: [Column; 6] = [
    Column::Service,
    Column::Kind,
    Column::Class,
    Column::Currency,
    Column::Payer,
    Column::Period,
];

impl Plan {
    pub(in crate::exports::parquet) fn new(
        file: &str,
        schema: &SchemaDescriptor,
        bound: &Bound,
    ) -> Result<Self, ImportError> {
        let mut plan = Self {
            width: bound.width(),
            every: Vec::new(),
            cost: (0, 0, Form::Text),
            metered: Vec::new(),
            resource: None,
            kept: Vec::new(),
        };
        let cost = bound.fields(Column::Cost)[0];
        let mut every: Vec<usize> = EVERY
            .iter()
            .flat_map(|column| bound.fields(*column))
            .copied()
            .collect();
        if bound.fields(Column::Period).is_empty() {
            every.extend(bound.fields(Column::Day));
        }
        let mut has_cost = false;
        let needed = bound.needed().into_iter().enumerate();
        for (field, _) in needed.filter(|(_, is_needed)| *is_needed) {
            let place = place(schema, field, Role::of(bound, field)).ok_or_else(|| {
                ImportError::ColumnType {
                    file: file.to_owned(),
                    column: bound.name(field).to_owned(),
                    found: found(schema, field),
                }
            })?;
            match place {
                Place::Flat { leaf, form } if field == cost => {
                    plan.cost = (field, leaf, form);
                    has_cost = true;
                }
                Place::Flat { leaf, form } if every.contains(&field) => {
                    plan.every.push((field, leaf, form));
                }
                Place::Flat { leaf, form } if bound.fields(Column::UsageType).contains(&field) => {
                    plan.metered.push((field, leaf, form));
                }
                Place::Flat { leaf, form } if bound.fields(Column::Resource).contains(&field) => {
                    plan.resource = Some((field, leaf, form));
                }
                place => plan.kept.push((field, place)),
            }
        }
        if plan.every.len() < every.len() || !has_cost {
            return Err(ImportError::ColumnType {
                file: file.to_owned(),
                column: bound.name(cost).to_owned(),
                found: "a map".to_owned(),
            });
        }
        Ok(plan)
    }

    /// Writes what every row is looked at for.
    pub(super) fn write_every<R: ReadAt + 'static>(
        &self,
        leaves: &[Leaf<R>],
        codes: &[u32],
        row: &mut TextRow,
    ) {
        for ((field, _, form), (leaf, code)) in self.every.iter().zip(leaves.iter().zip(codes)) {
            if let Some(raw) = leaf.decode(*code) {
                row.set(*field, |out| form.write(raw, out));
            }
        }
    }

    /// Returns the leaves that are read.
    pub(in crate::exports::parquet) fn leaves(&self) -> impl Iterator<Item = usize> + '_ {
        let kept = self.kept.iter().flat_map(|(_, place)| match *place {
            Place::Flat { leaf, .. } => vec![leaf],
            Place::Map { key, value, .. } => vec![key, value],
        });
        let all = self.every.iter().chain(&self.metered).chain(&self.resource);
        let all = all.map(|(_, leaf, _)| *leaf);
        all.chain([self.cost.1]).chain(kept)
    }
}
