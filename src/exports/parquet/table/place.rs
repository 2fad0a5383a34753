//! Where in a file the fields of its header are found, and how they are read.

use parquet::{
    basic::{ConvertedType, LogicalType, Repetition},
    schema::types::SchemaDescriptor,
};

use super::{Bound, Column, Form};

/// Where a field of the header is found.
pub(super) enum Place {
    /// One value a row.
    Flat { leaf: usize, form: Form },
    /// A map of texts; its entries are there from the definition level `entry` on.
    Map {
        key: usize,
        value: usize,
        entry: u32,
    },
}

/// What a number in a field is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// Money or a quantity.
    Amount,
    /// The number of an account.
    Account,
    /// Anything else.
    Other,
}

impl Role {
    pub(super) fn of(bound: &Bound, field: usize) -> Self {
        let is = |column| bound.fields(column).contains(&field);
        if is(Column::Quantity) || is(Column::Cost) || is(Column::Net) {
            Self::Amount
        } else if is(Column::Account) || is(Column::Payer) {
            Self::Account
        } else {
            Self::Other
        }
    }
}

pub(super) fn place(schema: &SchemaDescriptor, field: usize, role: Role) -> Option<Place> {
    let leaves: Vec<usize> = (0..schema.num_columns())
        .filter(|leaf| schema.get_column_root_idx(*leaf) == field)
        .collect();
    let root = schema.root_schema().get_fields().get(field)?;
    if let ([leaf], true) = (&leaves[..], root.is_primitive()) {
        let column = schema.column(*leaf);
        let form = Form::of(&column, role == Role::Amount);
        let form = form.filter(|_| column.max_rep_level() == 0)?;
        let form = match (role, form) {
            (Role::Account, Form::Whole) => Form::Account,
            (_, form) => form,
        };
        return Some(Place::Flat { leaf: *leaf, form });
    }
    let info = root.get_basic_info();
    let is_map = matches!(info.logical_type_ref(), Some(LogicalType::Map))
        || matches!(
            info.converted_type(),
            ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE
        );
    let [key, value] = leaves[..] else {
        return None;
    };
    let is_text = |leaf| {
        let column = schema.column(leaf);
        column.max_rep_level() == 1 && Form::of(&column, false) == Some(Form::Text)
    };
    // Who knows no maps writes lists of entries.
    let are_entries = schema.column(key).name() == "key" && schema.column(value).name() == "value";
    let entry = level_of_entries(root)?;
    let is_known = (is_map || are_entries) && is_text(key) && is_text(value);
    is_known.then_some(Place::Map { key, value, entry })
}

/// Returns the definition level from which on a list has an entry, whatever is in it.
fn level_of_entries(root: &parquet::schema::types::Type) -> Option<u32> {
    let (mut node, mut level) = (root, 0);
    loop {
        match node.get_basic_info().repetition() {
            Repetition::REPEATED => return Some(level + 1),
            Repetition::OPTIONAL => level += 1,
            Repetition::REQUIRED => {}
        }
        if node.is_primitive() {
            return None;
        }
        node = node.get_fields().first()?;
    }
}

pub(super) fn found(schema: &SchemaDescriptor, field: usize) -> String {
    let root = schema.root_schema().get_fields().get(field);
    root.map_or_else(String::new, |root| {
        if root.is_primitive() {
            root.get_physical_type().to_string()
        } else {
            "a structure".to_owned()
        }
    })
}
