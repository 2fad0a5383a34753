use super::*;
use crate::domain::number::parse_decimal;

#[test]
fn money_is_rounded_on_display_and_never_to_nothing() {
    let usd = Currency::new("USD");
    for (amount, shown) in [
        ("5", "$5.00"),
        ("0.1596", "$0.16"),
        ("1234567.895", "$1,234,567.90"),
        ("0.0034", "<$0.01"),
        ("-12.5", "−$12.50"),
        ("0", "$0.00"),
    ] {
        let money = Money::new(parse_decimal(amount).unwrap());
        assert_eq!(show_money(money, &usd), shown);
    }
    assert_eq!(
        show_money(Money::new(Decimal::TEN), &Currency::new("CNY")),
        "CNY 10.00"
    );
}
