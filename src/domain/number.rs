//! Reading decimals from the outside world.
//!
//! Bills write amounts plainly, with trailing zeros, or with an exponent (`1.49E-8`, `0E-10`).
//! All of them are exact decimals and stay so: a number that does not fit is refused, not rounded.

use rust_decimal::{Decimal, RoundingStrategy};
use thiserror::Error;

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NumberError {
    /// Not a number at all, `NaN` and infinities included.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// More digits than an exact decimal of 28 digits holds.
    #[error("`{0}` has more digits than can be kept exactly")]
    TooManyDigits(String),
    /// Larger than any bill; refusing it here keeps every later sum from overflowing.
    #[error("`{0}` is too large: amounts end at 1,000,000,000,000,000")]
    TooLarge(String),
    /// No unit of anything costs this much; refusing it keeps products from overflowing.
    #[error("`{0}` is too large for a price per unit")]
    PriceTooLarge(String),
    /// Below zero where only a quantity makes sense.
    #[error("`{0}` is negative")]
    Negative(String),
}

/// The largest amount accepted. A billion rows of it still add up without overflow.
const LARGEST: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// Reads an exact decimal, plain or with an exponent.
pub fn parse_decimal(text: &str) -> Result<Decimal, NumberError> {
    match short_decimal(text.as_bytes()) {
        Some(value) => Ok(value),
        None => parse_any(text),
    }
}

/// Reads what nearly all amounts look like: up to 18 digits, with a point or without, and perhaps an
/// exponent that makes them smaller. None says nothing of the others.
pub fn short_decimal(text: &[u8]) -> Option<Decimal> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.len() > 18 {
        return None;
    }
    let (mut value, mut places, mut after_point) = (0_i64, 0, false);
    let (mut known, mut known_places) = (0_i64, 0);
    let (mut count, mut exponent) = (digits.len(), 0);
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                places += usize::from(after_point);
                // Zeros at the end are left out.
                if *byte != b'0' || !after_point {
                    (known, known_places) = (value, places);
                }
            }
            b'.' if !after_point => after_point = true,
            b'E' | b'e' => {
                (count, exponent) = (at, smaller(&digits[at + 1..])?);
                break;
            }
            _ => return None,
        }
    }
    let wholes = count - places - usize::from(after_point);
    let scale = known_places + exponent;
    // Of 20E-1 a zero would be left over.
    let is_short = exponent == 0 || known == 0 || known % 10 != 0;
    let is_amount = wholes <= 15 && wholes + places > 0 && scale <= 28 && is_short;
    if is_amount && known == 0 {
        return Some(Decimal::ZERO);
    }
    let signed = if digits.len() < text.len() {
        -known
    } else {
        known
    };
    is_amount.then(|| Decimal::new(signed, u32::try_from(scale).unwrap_or(u32::MAX)))
}

/// Reads an exponent of one or two digits below zero.
fn smaller(exponent: &[u8]) -> Option<usize> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| usize::from(byte - b'0'));
    match exponent {
        [b'-', ones] => digit(*ones),
        [b'-', tens, ones] => Some(digit(*tens)? * 10 + digit(*ones)?),
        _ => None,
    }
}

fn parse_any(text: &str) -> Result<Decimal, NumberError> {
    let trimmed = text.trim();
    let not_a_number = || NumberError::NotANumber(shown(text));
    let (mantissa, exponent) = match trimmed.find(['e', 'E']) {
        Some(at) => {
            let exponent: i32 = trimmed[at + 1..].parse().map_err(|_| not_a_number())?;
            (&trimmed[..at], exponent)
        }
        None => (trimmed, 0),
    };
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let digits = unsigned.bytes().filter(u8::is_ascii_digit).count();
    let points = unsigned.bytes().filter(|&b| b == b'.').count();
    if digits == 0 || points > 1 || digits + points != unsigned.len() {
        return Err(not_a_number());
    }
    // Zeros at the end take no digits, however many they are.
    let significant = match mantissa.strip_prefix('+').unwrap_or(mantissa) {
        fraction if points > 0 => fraction.trim_end_matches('0').trim_end_matches('.'),
        whole => whole,
    };
    if !significant.contains(|c: char| c.is_ascii_digit()) {
        return Ok(Decimal::ZERO);
    }
    let mut value = Decimal::from_str_exact(significant)
        .map_err(|_| NumberError::TooManyDigits(shown(text)))?
        .normalize();
    if exponent != 0 && !value.is_zero() {
        value = shift(value, exponent).ok_or_else(|| NumberError::TooManyDigits(shown(text)))?;
    }
    if value.abs() > LARGEST {
        return Err(NumberError::TooLarge(shown(text)));
    }
    Ok(if value.is_zero() {
        Decimal::ZERO
    } else {
        value.normalize()
    })
}

/// Reads a decimal that must not be negative.
pub fn parse_quantity(text: &str) -> Result<Decimal, NumberError> {
    let value = parse_decimal(text)?;
    if value.is_sign_negative() {
        return Err(NumberError::Negative(shown(text)));
    }
    Ok(value)
}

/// Reads a price per unit.
pub fn parse_price(text: &str) -> Result<Decimal, NumberError> {
    let price = parse_quantity(text)?;
    if price > Decimal::from(1_000_000) {
        return Err(NumberError::PriceTooLarge(shown(text)));
    }
    Ok(price)
}

/// Writes a decimal exactly: no exponent, no trailing zeros, no negative zero.
pub fn plain(value: Decimal) -> String {
    if value.is_zero() {
        "0".to_owned()
    } else {
        value.normalize().to_string()
    }
}

/// Returns a decimal as a whole number of steps of `10^-scale`, rounded half to even; none where it
/// has more than 38 digits then.
pub fn unscaled(value: Decimal, scale: u32) -> Option<i128> {
    let value = value.round_dp_with_strategy(scale, RoundingStrategy::MidpointNearestEven);
    let steps = 10_i128.checked_pow(scale.checked_sub(value.scale())?)?;
    let whole = value.mantissa().checked_mul(steps)?;
    (whole.unsigned_abs() < 10_u128.pow(38)).then_some(whole)
}

/// Moves the decimal point, without loss.
fn shift(value: Decimal, exponent: i32) -> Option<Decimal> {
    let scale = i64::from(value.scale()) - i64::from(exponent);
    if scale < 0 {
        let factor = Decimal::from(10_u64.checked_pow(u32::try_from(-scale).ok()?)?);
        return Decimal::from_i128_with_scale(value.mantissa(), 0).checked_mul(factor);
    }
    let scale = u32::try_from(scale)
        .ok()
        .filter(|&s| s <= Decimal::MAX_SCALE)?;
    Some(Decimal::from_i128_with_scale(value.mantissa(), scale))
}

/// The text as an error may show it: short, and without control characters.
fn shown(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    if clean.trim().is_empty() {
        "(empty)".to_owned()
    } else {
        clean
    }
}

/// Returns a part of a whole in percent; none of nothing.
pub fn percent_of(part: Decimal, of: Decimal) -> Option<Decimal> {
    (part * Decimal::ONE_HUNDRED).checked_div(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_read_exactly() {
        for (text, expected) in [
            ("1.49E-8", "0.0000000149"),
            ("-2E-7", "-0.0000002"),
            ("0E-10", "0"),
            (".000", "0"),
            ("-0.0000000000000000000000000000000", "0"),
            ("1.500000000000000000000000000000000", "1.5"),
            ("1000000000.50000000000000000000E-2", "10000000.005"),
            ("1.2E+3", "1200"),
            ("1e15", "1000000000000000"),
            ("0.00000080000", "0.0000008"),
            ("+5", "5"),
            ("-0", "0"),
            (" 12.50 ", "12.5"),
            (".5", "0.5"),
        ] {
            assert_eq!(
                parse_decimal(text).map(plain).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn a_short_number_is_what_any_is(text in "-?[0-9]{0,17}[.]?[0-9]{0,9}([eE]-?[0-9]{0,3})?") {
            if let Some(short) = short_decimal(text.as_bytes()) {
                let any = parse_any(&text);
                proptest::prop_assert_eq!(Ok(short), any.clone());
                let form = |value: Decimal| (value.scale(), value.is_sign_negative());
                proptest::prop_assert_eq!(Ok(form(short)), any.map(form));
            }
        }
    }

    #[test]
    fn a_number_of_steps_is_exact_as_far_as_it_holds() {
        let steps = |text: &str| unscaled(parse_decimal(text).unwrap(), 18);
        assert_eq!(steps("1000000000000000"), Some(10_i128.pow(33)));
        assert_eq!(steps("-0.00001"), Some(-10_i128.pow(13)));
        assert_eq!(steps("0.0000000000000000015"), Some(2), "half to even");
        assert_eq!(unscaled(Decimal::MAX, 18), None);
    }

    #[test]
    fn what_is_not_an_exact_number_is_refused() {
        for text in [
            "", "NaN", "inf", "-", "1,000", "1.2.3", "0x10", "1e", "1_000", "--1", "$5",
        ] {
            assert!(
                matches!(parse_decimal(text), Err(NumberError::NotANumber(_))),
                "{text}"
            );
        }
        for text in [
            "1e-29",
            "0.00000000000000000000000000001",
            "1e40",
            "12345678901234567890123456789012",
        ] {
            assert!(
                matches!(parse_decimal(text), Err(NumberError::TooManyDigits(_))),
                "{text}"
            );
        }
        assert!(matches!(
            parse_decimal("1000000000000001"),
            Err(NumberError::TooLarge(_))
        ));
        assert!(matches!(
            parse_quantity("-1"),
            Err(NumberError::Negative(_))
        ));
    }
}
