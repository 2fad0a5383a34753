//! Values of answers: typed and exact for programs, cells for people. A row is declared once, with
//! [`row!`], and is both an object of JSON and a row of a table.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::{Cell, Column, Table};
use crate::domain::{
    ids::Currency, money::Money, number::plain, period::Month, quantity::Quantity,
};

/// What a value looks like in a table.
pub trait Value {
    /// Returns its cell.
    fn cell(&self) -> Cell;
}

/// A row of a table whose keys programs know.
pub trait Row {
    /// Returns its columns.
    fn columns() -> Vec<Column>;
    /// Returns its cells, one for each column.
    fn cells(&self) -> Vec<Cell>;
}

impl Table {
    /// Lays rows out.
    pub fn of<R: Row>(rows: &[R]) -> Self {
        Self {
            rows: rows.iter().map(R::cells).collect(),
            ..Self::new(R::columns())
        }
    }
}

/// Declares the object of a list: its doc comments are what the JSON Schema says of its keys, and
/// a key with `= column` is a column of the table too. The columns are `file`, for files alone,
/// `shown(heading, drop)` for people and files, and `people(heading, drop)` for people alone, whose
/// key is skipped.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$doc:meta])* $field:ident: $type:ty $(= $kind:ident $(($($argument:expr),*))?)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[cfg_attr(test, schemars(deny_unknown_fields))]
        $vis struct $name { $($(#[$doc])* pub $field: $type,)* }

        impl $crate::report::value::Row for $name {
            fn columns() -> Vec<$crate::report::Column> {
                vec![$($($crate::report::value::$kind(stringify!($field), $($($argument),*)?),)?)*]
            }

            fn cells(&self) -> Vec<$crate::report::Cell> {
                vec![$($({
                    const _: &str = stringify!($kind);
                    $crate::report::value::Value::cell(&self.$field)
                },)?)*]
            }
        }
    };
}

/// Declares an object that stands for itself: an answer, or a part of one.
macro_rules! object {
    ($(#[$meta:meta])* $vis:vis struct $name:ident $(= $schema:literal)? {
        $($(#[$doc:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[cfg_attr(test, schemars(deny_unknown_fields))]
        $(#[serde(tag = "schema", rename = $schema)])?
        $vis struct $name { $($(#[$doc])* pub $field: $type,)* }

        $(
            #[cfg(test)]
            impl $crate::report::value::Contract for $name {
                const SCHEMA: &'static str = $schema;
            }
        )?
    };
}

/// An answer of its own; serde writes its schema's name first.
#[cfg(test)]
pub(super) trait Contract: schemars::JsonSchema {
    /// As `pipebill.usage/1`.
    const SCHEMA: &'static str;
}

pub(crate) use {object, row};

/// A column that only files carry.
pub(super) fn file(key: &'static str) -> Column {
    Column::in_files(key)
}

/// A column for people and files.
pub(super) fn shown(key: &'static str, heading: &str, drop: u8) -> Column {
    Column::new(heading, key, drop)
}

/// A column that only people see.
pub(super) fn people(_: &'static str, heading: &str, drop: u8) -> Column {
    Column::shown(heading, drop)
}

impl<T: Value> Value for Option<T> {
    fn cell(&self) -> Cell {
        self.as_ref().map_or(Cell::Empty, T::cell)
    }
}

impl Value for String {
    fn cell(&self) -> Cell {
        Cell::text(self)
    }
}

impl Value for &'static str {
    fn cell(&self) -> Cell {
        Cell::text(*self)
    }
}

impl Value for u64 {
    fn cell(&self) -> Cell {
        Cell::Count(*self)
    }
}

impl Value for bool {
    fn cell(&self) -> Cell {
        Cell::Flag(*self)
    }
}

/// For people alone: what a table shows where programs have other keys.
impl Value for Cell {
    fn cell(&self) -> Cell {
        self.clone()
    }
}

/// An amount of a currency; an exact decimal for programs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amount {
    money: Money,
    currency: Currency,
    is_part: bool,
}

impl Amount {
    /// Returns an amount that is whole.
    pub fn new(money: Money, currency: &Currency) -> Self {
        Self::of(money, currency, true)
    }

    /// Returns an amount, or what is known of it.
    pub fn of(money: Money, currency: &Currency, is_whole: bool) -> Self {
        Self {
            money,
            currency: currency.clone(),
            is_part: !is_whole,
        }
    }
}

impl Amount {
    /// Shows it in a sentence.
    pub(super) fn shown(&self) -> String {
        let at_least = if self.is_part { "at least " } else { "" };
        format!(
            "{at_least}{}",
            super::show_money(self.money, &self.currency)
        )
    }

    /// Shows it as a change.
    pub(super) fn signed(&self) -> String {
        super::signed_money(self.money, &self.currency)
    }
}

impl Value for Amount {
    fn cell(&self) -> Cell {
        if self.is_part {
            Cell::AtLeast(self.money, self.currency.clone())
        } else {
            Cell::Money(self.money, self.currency.clone())
        }
    }
}

/// A quantity; for programs its exact number, beside which stands the unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measure(pub Quantity);

impl Value for Measure {
    fn cell(&self) -> Cell {
        Cell::Quantity(self.0)
    }
}

/// A number without unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number(pub Decimal);

impl Value for Number {
    fn cell(&self) -> Cell {
        Cell::Number(self.0)
    }
}

/// Percent, 100 for all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Percent(pub Decimal);

impl Value for Percent {
    fn cell(&self) -> Cell {
        Cell::Percent(self.0)
    }
}

/// A price per unit, or another number shown with all its places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Price(pub Decimal);

impl Value for Price {
    fn cell(&self) -> Cell {
        Cell::Price(self.0)
    }
}

/// A day, as 2026-10-31.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day(pub NaiveDate);

impl Value for Day {
    fn cell(&self) -> Cell {
        Cell::Day(self.0)
    }
}

/// A month, as 2026-10.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calendar(pub Month);

impl Value for Calendar {
    fn cell(&self) -> Cell {
        Cell::text(self.0.to_string())
    }
}

/// What is known, or in a word why it is not: null for programs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Known<T> {
    /// It is this.
    Is(T),
    /// It is not known.
    Not(&'static str),
}

impl<T> Known<T> {
    /// Returns a value, or why there is none.
    pub fn or(value: Option<T>, why: &'static str) -> Self {
        value.map_or(Self::Not(why), Self::Is)
    }
}

impl<T: Value> Value for Known<T> {
    fn cell(&self) -> Cell {
        match self {
            Self::Is(value) => value.cell(),
            Self::Not(why) => Cell::Unknown((*why).to_owned()),
        }
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Is(value) => value.serialize(serializer),
            Self::Not(_) => serializer.serialize_none(),
        }
    }
}

/// Writes values as text, and says which text it is.
macro_rules! as_text {
    ($($type:ident: $schema:tt, |$value:ident| $text:expr;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $value = self;
                serializer.serialize_str(&$text)
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    )*};
}

as_text! {
    Amount: {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}, |value| value.money.to_string();
    Measure: {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}, |value| plain(value.0.value);
    Number: {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}, |value| plain(value.0);
    Percent: {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}, |value| plain(value.0);
    Price: {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}, |value| plain(value.0);
    Day: {"type": "string", "format": "date"}, |value| value.0.to_string();
    Calendar: {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}, |value| value.0.to_string();
}

#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Known<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Option::<T>::json_schema(generator)
    }
}

/// Writes a value as an indented document.
pub(super) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a value of ours is JSON");
    text.push('\n');
    text
}
