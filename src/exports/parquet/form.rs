//! What a value of a Parquet column says, as the same export writes it in CSV.

use chrono::{DateTime, SecondsFormat};
use parquet::{
    basic::{ConvertedType, LogicalType, TimeUnit, Type},
    schema::types::ColumnDescriptor,
};
use rust_decimal::Decimal;

use crate::domain::number::plain;

/// Amounts are rounded to so many digits: a double has noise beyond them.
const DIGITS: u32 = 10;
const UNITS: u128 = 10_000_000_000;
/// The day from which Int96 counts, as days before 1970.
const JULIAN_1970: i64 = 2_440_588;

/// How the values of a column are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Text,
    /// Money or a quantity: exact to the nearest 1e-10.
    Amount,
    /// Any other double: the shortest decimal that is the same double.
    Double,
    Float,
    Whole,
    /// The number of an account: it has twelve digits, whatever a whole number makes of them.
    Account,
    Decimal {
        scale: u32,
        /// A machine's whole number, rather than one in the order of the network.
        is_machine: bool,
    },
    /// Units a second.
    Time(i64),
    Int96,
    Day,
}

impl Form {
    /// Returns the form of a column; amounts are to be told apart by who knows the export.
    pub(super) fn of(column: &ColumnDescriptor, is_amount: bool) -> Option<Self> {
        let logical = column.logical_type_ref();
        let converted = column.converted_type();
        let time = match logical {
            Some(LogicalType::Timestamp(time)) => Some(match time.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            }),
            _ => match converted {
                ConvertedType::TIMESTAMP_MILLIS => Some(1_000),
                ConvertedType::TIMESTAMP_MICROS => Some(1_000_000),
                _ => None,
            },
        };
        let is_decimal =
            matches!(logical, Some(LogicalType::Decimal(_))) || converted == ConvertedType::DECIMAL;
        let physical = column.physical_type();
        if is_decimal && !matches!(physical, Type::DOUBLE | Type::FLOAT) {
            let scale = u32::try_from(column.type_scale()).ok()?;
            let is_machine = matches!(physical, Type::INT32 | Type::INT64);
            return Some(Self::Decimal { scale, is_machine });
        }
        Some(match physical {
            Type::BYTE_ARRAY => Self::Text,
            Type::DOUBLE if is_amount => Self::Amount,
            Type::DOUBLE => Self::Double,
            Type::FLOAT => Self::Float,
            Type::INT96 => Self::Int96,
            Type::INT32 if converted == ConvertedType::DATE => Self::Day,
            Type::INT32 | Type::INT64 => time.map_or(Self::Whole, Self::Time),
            Type::BOOLEAN | Type::FIXED_LEN_BYTE_ARRAY => return None,
        })
    }

    /// Returns an amount in units of 1e-10, if that is exact and there are not too many of them.
    pub(super) fn units(self, raw: &[u8]) -> Option<i64> {
        match self {
            Self::Amount => i64::try_from(units(f64_bits(raw)?)?).ok(),
            Self::Decimal { scale, is_machine } if scale <= DIGITS => {
                let factor = 10_i128.checked_pow(DIGITS - scale)?;
                i64::try_from(decimal(is_machine, raw)?.checked_mul(factor)?).ok()
            }
            _ => None,
        }
    }

    /// Writes a value as text. What is no value of this form is written as something that no
    /// reader takes for one.
    pub(super) fn write(self, raw: &[u8], out: &mut Vec<u8>) {
        let written = match self {
            Self::Text => {
                out.extend_from_slice(raw);
                return;
            }
            Self::Amount => f64_bits(raw).map(|bits| {
                let exact = units(bits)
                    .and_then(|units| Decimal::try_from_i128_with_scale(units, DIGITS).ok());
                exact.map_or_else(|| f64::from_bits(bits).to_string(), plain)
            }),
            Self::Double => f64_bits(raw).map(|bits| f64::from_bits(bits).to_string()),
            Self::Float => raw
                .try_into()
                .ok()
                .map(|raw| f32::from_le_bytes(raw).to_string()),
            Self::Whole => whole(raw).map(|value| value.to_string()),
            Self::Account => whole(raw).map(|value| format!("{value:012}")),
            Self::Decimal { scale, is_machine } => decimal(is_machine, raw).map(|mut value| {
                // Columns of 38 digits hold more places than an amount has.
                let mut places = scale;
                while places > 0 && value % 10 == 0 {
                    (value, places) = (value / 10, places - 1);
                }
                Decimal::try_from_i128_with_scale(value, places)
                    .map_or_else(|_| format!("{value}e-{places}"), plain)
            }),
            Self::Time(unit) => whole(raw).and_then(|value| time(value.div_euclid(unit))),
            Self::Int96 => int96(raw),
            Self::Day => whole(raw).and_then(|days| time(days.checked_mul(86_400)?)),
        };
        match written {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => out.extend_from_slice(b"(not a value)"),
        }
    }
}

/// Returns an amount in units of 1e-10.
pub(super) fn amount(units: i64) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(units), DIGITS)
}

/// Returns a sum of amounts in units of 1e-10.
pub(super) fn total(units: i128) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(units, DIGITS).ok()
}

fn f64_bits(raw: &[u8]) -> Option<u64> {
    raw.try_into().ok().map(u64::from_le_bytes)
}

/// Rounds a double to the nearest 1e-10, in whole numbers throughout.
fn units(bits: u64) -> Option<i128> {
    let exponent = i32::try_from((bits >> 52) & 0x7ff).ok()?;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = match exponent {
        0x7ff => return None,
        0 => (fraction, -1074),
        _ => (fraction | (1 << 52), exponent - 1075),
    };
    // 53 bits by 34: no overflow.
    let product = u128::from(mantissa) * UNITS;
    let rounded = match u32::try_from(exponent) {
        Ok(left) if left < 39 => product << left,
        Ok(_) => return None,
        Err(_) => match exponent.unsigned_abs() {
            right @ 1..=127 => ((product >> (right - 1)) + 1) >> 1,
            _ => 0,
        },
    };
    let magnitude = i128::try_from(rounded).ok()?;
    Some(if bits >> 63 == 0 {
        magnitude
    } else {
        -magnitude
    })
}

fn whole(raw: &[u8]) -> Option<i64> {
    match raw.len() {
        4 => raw
            .try_into()
            .ok()
            .map(|raw| i64::from(i32::from_le_bytes(raw))),
        _ => raw.try_into().ok().map(i64::from_le_bytes),
    }
}

/// Reads a decimal: a whole number in the machine's order, or a longer one in the network's.
fn decimal(is_machine: bool, raw: &[u8]) -> Option<i128> {
    if is_machine {
        return whole(raw).map(i128::from);
    }
    let sign = if *raw.first()? < 0x80 { 0 } else { 0xff };
    // Wider columns repeat the sign.
    let (wider, raw) = raw.split_at(raw.len().saturating_sub(16));
    if wider.iter().any(|byte| *byte != sign) || raw[0] & 0x80 != sign & 0x80 {
        return None;
    }
    let mut bytes = [sign; 16];
    let start = bytes.len().checked_sub(raw.len())?;
    bytes[start..].copy_from_slice(raw);
    Some(i128::from_be_bytes(bytes))
}

fn time(seconds: i64) -> Option<String> {
    let time = DateTime::from_timestamp(seconds, 0)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn int96(raw: &[u8]) -> Option<String> {
    let nanoseconds = i64::from_le_bytes(raw.get(..8)?.try_into().ok()?);
    let day = i64::from(u32::from_le_bytes(raw.get(8..12)?.try_into().ok()?));
    time((day - JULIAN_1970) * 86_400 + nanoseconds.div_euclid(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_the_decimals_they_stand_for() {
        for (double, text) in [
            (0.1, "0.1"),
            (-2e-7, "-0.0000002"),
            (1.49e-8, "0.0000000149"),
            (0.000_000_000_04, "0"),
            (0.000_000_000_06, "0.0000000001"),
            (123_456.789_012_345_6, "123456.7890123456"),
            (-0.0, "0"),
            (4.9e-324, "0"),
            (1e15, "1000000000000000"),
            (1e300, &1e300.to_string()),
            (f64::NAN, "NaN"),
        ] {
            let mut out = Vec::new();
            Form::Amount.write(&f64::to_le_bytes(double), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }

    #[test]
    fn every_multiple_of_a_unit_survives_its_double() {
        for at in 0..200_000_u64 {
            // Spread over 1e-10 to 100,000.
            let units = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000_000_000;
            let text = plain(Decimal::from_i128_with_scale(i128::from(units), DIGITS));
            let double: f64 = text.parse().expect("a number");
            let mut out = Vec::new();
            Form::Amount.write(&double.to_le_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }

    #[test]
    fn times_and_decimals_read_as_in_csv() {
        let text = |form: Form, raw: &[u8]| {
            let mut out = Vec::new();
            form.write(raw, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        let milliseconds = 1_793_491_200_000_i64.to_le_bytes();
        assert_eq!(
            text(Form::Time(1_000), &milliseconds),
            "2026-11-01T00:00:00Z"
        );
        assert_eq!(
            text(Form::Day, &20_758_i32.to_le_bytes()),
            "2026-11-01T00:00:00Z"
        );
        let mut int96 = [0; 12];
        int96[8..].copy_from_slice(&2_461_346_u32.to_le_bytes());
        assert_eq!(text(Form::Int96, &int96), "2026-11-01T00:00:00Z");
        assert_eq!(text(Form::Time(1), &[1]), "(not a value)");
        assert_eq!(text(Form::Account, &42_i64.to_le_bytes()), "000000000042");
        let decimal = |scale, value: i128, width: usize| {
            let mut raw = vec![if value < 0 { 0xff } else { 0 }; width - 16];
            raw.extend(value.to_be_bytes());
            let is_machine = false;
            text(Form::Decimal { scale, is_machine }, &raw)
        };
        assert_eq!(decimal(30, 15 * 10_i128.pow(29), 16), "1.5");
        assert_eq!(decimal(20, -15 * 10_i128.pow(29), 16), "-15000000000");
        assert_eq!(decimal(38, 0, 16), "0");
        assert_eq!(decimal(10, -15, 32), "-0.0000000015");
        assert_eq!(decimal(10, 15, 21), "0.0000000015");
        let beyond = [&[1], &[0; 16][..]].concat();
        let form = Form::Decimal {
            scale: 2,
            is_machine: false,
        };
        assert_eq!(text(form, &beyond), "(not a value)");
    }
}
