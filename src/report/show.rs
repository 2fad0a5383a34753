//! How amounts and quantities read: the one place that rounds.

use rust_decimal::Decimal;

use crate::domain::{
    ids::Currency,
    money::Money,
    number::plain,
    quantity::{Quantity, Unit},
};

/// Shows an amount in whole cents; what is more than nothing never shows as nothing.
pub fn show_money(money: Money, currency: &Currency) -> String {
    let cents = money.to_cents();
    let negative = money.amount().is_sign_negative() && !money.is_zero();
    let sign = if negative { "−" } else { "" };
    let symbol = currency_sign(currency);
    if cents.is_zero() && !money.is_zero() {
        let than = if negative { ">" } else { "<" };
        return format!("{than}{sign}{symbol}0.01");
    }
    format!("{sign}{symbol}{}", grouped(&cents.abs().to_string()))
}

/// Shows an amount where there is little room: cents below a hundred, thousands from ten thousand on.
pub fn show_money_short(money: Money, currency: &Currency) -> String {
    let amount = money.amount().abs();
    if amount < Decimal::ONE_HUNDRED {
        return show_money(money, currency);
    }
    let sign = if money.amount().is_sign_negative() {
        "−"
    } else {
        ""
    };
    let whole = amount.round_dp(0);
    let scaled = |thousands: u32| {
        let mut short = whole;
        // Moving the point cannot fail: a whole number has no decimals yet.
        let _ = short.set_scale(3 * thousands);
        grouped(&plain(short.round_dp(1)))
    };
    let shown = match whole.to_string().len() {
        ..=4 => grouped(&whole.to_string()),
        5..=6 => format!("{}k", scaled(1)),
        7..=9 => format!("{}M", scaled(2)),
        _ => format!("{}B", scaled(3)),
    };
    format!("{sign}{}{shown}", currency_sign(currency))
}

/// Shows a change: its sign always, and a true minus.
pub fn signed_money(change: Money, currency: &Currency) -> String {
    if change.is_zero() {
        return show_money(change, currency);
    }
    if change.amount().is_sign_negative() {
        show_money(change, currency)
    } else {
        format!("+{}", show_money(change, currency))
    }
}

/// Shows a number without unit, whole if it is large.
pub fn show_number(number: Decimal) -> String {
    let decimals = match number.abs() {
        small if small < Decimal::TEN => 2,
        middling if middling < Decimal::ONE_HUNDRED => 1,
        _ => 0,
    };
    grouped(&plain(number.round_dp(decimals)))
}

/// Shows percent to a tenth.
pub fn show_percent(percent: Decimal) -> String {
    grouped(&plain(percent.round_dp(1)))
}

/// Returns what stands before an amount.
pub(super) fn currency_sign(currency: &Currency) -> String {
    if currency.as_str() == "USD" {
        "$".to_owned()
    } else {
        format!("{currency} ")
    }
}

/// Shows a quantity with a short unit.
pub fn show_quantity(quantity: Quantity) -> String {
    let number = grouped(&plain(quantity.value.round_dp(2)));
    let unit = short_unit(quantity.unit, quantity.value == Decimal::ONE);
    format!("{number} {unit}").trim_end().to_owned()
}

/// Returns what a quantity of a unit is followed by.
pub(super) fn short_unit(unit: Unit, one: bool) -> &'static str {
    match unit {
        Unit::Minute => "min",
        Unit::Second => "s",
        Unit::Hour => "h",
        Unit::GbMonth => "GB-month",
        Unit::Gb => "GB",
        Unit::GbSecond => "GB-s",
        Unit::Unspecified => "",
        unit if one => unit.name(),
        unit => unit.plural(),
    }
}

/// Writes a decimal for files: no exponent, no separators, no trailing zeros.
pub(super) fn exact(value: Decimal) -> String {
    plain(value)
}

/// Separates thousands.
pub(super) fn grouped(number: &str) -> String {
    let (whole, fraction) = number
        .split_once('.')
        .map_or((number, None), |(w, f)| (w, Some(f)));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("−", digits));
    let mut out = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Writes bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
