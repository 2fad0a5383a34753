//! The header of the console's file: a column and, in brackets, its unit.

use super::super::values::is_account;

/// Tells whether a header is that of the console's file: all columns but the first name their unit,
/// and at least one a currency.
pub(in crate::exports) fn is_console(header: &[String]) -> bool {
    has_units(header) && header[1..].iter().any(|name| money(name).is_some())
}

pub(in crate::exports) fn has_units(header: &[String]) -> bool {
    let Some((first, others)) = header.split_first() else {
        return false;
    };
    let mut named = others.iter().filter(|name| !name.is_empty()).peekable();
    unit(first).is_none() && named.peek().is_some() && named.all(|name| unit(name).is_some())
}

/// Splits `CodeBuild($)` or `CodeBuild (USD)` into what it is and the unit.
pub(in crate::exports) fn unit(name: &str) -> Option<(&str, &str)> {
    let name = name.trim_end();
    let inner = name.strip_suffix(')').or_else(|| name.strip_suffix('）'))?;
    let at = inner.rfind(['(', '（'])?;
    let unit = inner[at..].trim_start_matches(['(', '（']).trim();
    let is_unit = (1..=24).contains(&unit.chars().count()) && !is_account(unit);
    is_unit.then(|| (inner[..at].trim(), unit))
}

/// Splits a column of money into what is charged and the currency.
pub(in crate::exports) fn money(name: &str) -> Option<(&str, &str)> {
    let (label, unit) = unit(name)?;
    let currency = match unit {
        "$" | "US$" => "USD",
        "€" => "EUR",
        "£" => "GBP",
        // Only the Chinese partition bills in a currency with this sign by itself.
        "¥" | "￥" | "CN¥" | "元" => "CNY",
        "JP¥" | "円" => "JPY",
        "₹" => "INR",
        "₩" => "KRW",
        "R$" => "BRL",
        "A$" => "AUD",
        "C$" | "CA$" => "CAD",
        code if CURRENCIES.contains(&code) => code,
        _ => return None,
    };
    Some((label, currency))
}

/// Currencies that AWS bills in.
const CURRENCIES: [&str; 40] = [
    "AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP",
    "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KES", "KRW", "MXN", "MYR", "NGN",
    "NOK", "NZD", "PEN", "PHP", "PLN", "RON", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "USD",
    "ZAR",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_in_the_last_brackets() {
        for (name, expected) in [
            ("CodeBuild($)", Some(("CodeBuild", "USD"))),
            (
                "EC2 Container Registry (ECR)($)",
                Some(("EC2 Container Registry (ECR)", "USD")),
            ),
            (
                "dev, old (044455556666)($)",
                Some(("dev, old (044455556666)", "USD")),
            ),
            ("CodeBuild (EUR)", Some(("CodeBuild", "EUR"))),
            ("合計コスト（$）", Some(("合計コスト", "USD"))),
            ("USE1-Build-Min:Linux:g1.small(Minutes)", None),
            ("dev (044455556666)", None),
            ("Service", None),
        ] {
            assert_eq!(money(name), expected, "{name}");
        }
    }
}
