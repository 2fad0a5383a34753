//! What an error is about: a field of the request. A front knows what its user calls it.

/// A field of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// Which months a question is about, or the past ones.
    Against,
    /// What is turned over a range.
    Axis,
    /// What a scenario's break-even is looked for in.
    BreakEven,
    /// A change of a scenario.
    Change,
    /// A discount.
    Discount,
    /// The first month.
    FirstMonth,
    /// Free units that something else drew.
    FreeTierUsed,
    /// The month.
    Month,
    /// A price of one's own.
    Price,
    /// The region whose prices stand in for unknown ones.
    PriceLike,
    /// How far drivers are turned.
    Swing,
}
