//! Numbers to cells: the only lossy casts of the view.

use crate::model::Micros;

/// A range of values over so many dots, from the bottom up.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Scale {
    /// The value of the lowest dot.
    pub low: f64,
    /// The value of the highest one.
    pub high: f64,
}

impl Scale {
    /// A scale that holds these values, with ends that people like. It begins at 0, unless it is
    /// to `fit` the values or they lie below.
    pub(super) fn of(low: f64, high: f64, fit: bool) -> Self {
        if !low.is_finite() || !high.is_finite() || low > high {
            return Self {
                low: 0.0,
                high: 1.0,
            };
        }
        let low = if fit || low < 0.0 { low } else { 0.0 };
        let size = (high - low).max(high.abs() * 1e-6).max(f64::MIN_POSITIVE);
        if !size.is_finite() {
            return Self { low, high };
        }
        let step = nice(size / 4.0);
        let floor = (low / step).floor() * step;
        let ceil = (high / step).ceil() * step;
        if floor.is_finite() && ceil.is_finite() && ceil > floor {
            Self {
                low: floor,
                high: ceil,
            }
        } else {
            Self {
                low,
                high: low + 1.0,
            }
        }
    }

    /// The dot of a value, from the top down; at an end for what lies outside.
    pub(super) fn dot(&self, value: f64, dots: usize) -> usize {
        let last = dots.saturating_sub(1);
        let part = (self.high / 2.0 - value / 2.0) / (self.high / 2.0 - self.low / 2.0);
        whole((part.clamp(0.0, 1.0) * last as f64).round()).min(last)
    }

    /// The value at a part of the height, 0 at the bottom.
    pub(super) fn at(&self, part: f64) -> f64 {
        self.low + (self.high - self.low) * part
    }
}

/// The least of 1, 2, 2.5, 5 and their tens that is not less.
fn nice(size: f64) -> f64 {
    let ten = 10f64.powf(size.log10().floor());
    if !ten.is_finite() || ten <= 0.0 {
        return size;
    }
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let fit = steps
        .into_iter()
        .find(|step| step * ten >= size * 0.999_999);
    fit.unwrap_or(10.0) * ten
}

/// A number that is whole, not negative and small, as a count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturating, and used for what is clamped to the screen"
)]
pub(super) fn whole(value: f64) -> usize {
    value as usize
}

/// The column of a moment among so many; none if it lies outside.
pub(super) fn column(at: Micros, from: Micros, to: Micros, columns: usize) -> Option<usize> {
    if at < from || at > to || to <= from || columns == 0 {
        return None;
    }
    let (part, all) = (i128::from(at.0 - from.0), i128::from(to.0 - from.0));
    let columns = i128::try_from(columns).ok()?;
    usize::try_from((part * columns / all).min(columns - 1)).ok()
}

/// The moment at the start of a column.
pub(super) fn moment(column: usize, from: Micros, to: Micros, columns: usize) -> Micros {
    let all = i128::from(to.0) - i128::from(from.0);
    let columns = i128::try_from(columns.max(1)).unwrap_or(1);
    let at = i128::try_from(column).unwrap_or(0) * all / columns;
    Micros(from.0.saturating_add(i64::try_from(at).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_where_people_expect_it() {
        for ((low, high, fit), want) in [
            ((3.0, 87.0, false), (0.0, 100.0)),
            ((512.0, 513.0, false), (0.0, 600.0)),
            ((512.0, 513.0, true), (512.0, 513.0)),
            ((-5.0, 5.0, false), (-5.0, 5.0)),
            ((0.0, 0.0, false), (0.0, 1.0)),
            ((7.0, 7.0, false), (0.0, 8.0)),
            ((f64::NAN, 1.0, false), (0.0, 1.0)),
            ((0.0, f64::INFINITY, false), (0.0, 1.0)),
        ] {
            let scale = Scale::of(low, high, fit);
            assert_eq!((scale.low, scale.high), want, "{low} {high} {fit}");
        }
        // Nothing that can be written down makes a scale without height.
        for value in [1e308_f64, -1e308, 1e-308, 5e-324, 1e300] {
            for low in [0.0, value, -value] {
                let scale = Scale::of(low.min(value), low.max(value), true);
                assert!(scale.high > scale.low, "{low} {value} {scale:?}");
                assert!(scale.dot(value, 40) < 40);
            }
        }
    }

    #[test]
    fn values_and_moments_have_their_cells() {
        let scale = Scale {
            low: 0.0,
            high: 100.0,
        };
        let dots = [-5.0, 0.0, 49.0, 50.0, 100.0, 1e9].map(|value| scale.dot(value, 5));
        assert_eq!(dots, [4, 4, 2, 2, 0, 0]);
        let (from, to) = (Micros(1000), Micros(2000));
        for (at, want) in [
            (999, None),
            (1000, Some(0)),
            (1499, Some(4)),
            (1999, Some(9)),
            (2000, Some(9)),
            (2001, None),
        ] {
            assert_eq!(column(Micros(at), from, to, 10), want);
        }
        for index in 0..10 {
            assert_eq!(
                column(moment(index, from, to, 10), from, to, 10),
                Some(index)
            );
        }
    }
}
