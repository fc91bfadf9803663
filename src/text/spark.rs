//! Values as a line of bars, a character each. The highest bar leaves a gap to the row above.

const BARS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];
/// What varies by less than this part of its most is steady, and half high.
const STEADY: f64 = 0.02;

/// The last values; a blank for what is no finite number. The lowest bar is 0, or the least
/// value where all of them are more than half of the most: what varies is seen.
pub fn line(values: &[f64], columns: usize) -> String {
    let first = values.len().saturating_sub(columns);
    let values = values.get(first..).unwrap_or(&[]);
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let most = finite().fold(0.0, f64::max);
    let least = finite().fold(f64::INFINITY, f64::min);
    let low = if least > most / 2.0 { least } else { 0.0 };
    let steady = most - least <= most * STEADY;
    let bar = |value: f64| match value.is_finite() {
        false => ' ',
        true if most <= 0.0 => '▁',
        true if steady => '▄',
        true => of((value - low) / (most - low)),
    };
    values.iter().map(|value| bar(*value)).collect()
}

/// The bar of a part, 0 to 1.
fn of(part: f64) -> char {
    let steps = BARS.iter().zip(0_u32..);
    let fit = steps.take_while(|(_, step)| f64::from(*step) <= part * 6.0 + 0.5);
    fit.last().map_or('▁', |(glyph, _)| *glyph)
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn values_are_bars() {
        for (values, want) in [
            (vec![], ""),
            (vec![0.0, 0.0], "▁▁"),
            (vec![0.0, 1.0, 2.0, 6.0], "▁▂▃▇"),
            (vec![f64::NAN, 3.0, f64::INFINITY, -1.0], " ▇ ▁"),
            (vec![9.0, 9.0, 9.0, 9.0, 1.0, 0.0], "▇▇▂▁"),
            // Steady, and varying far from 0.
            (vec![100.0, 101.0, 100.5], "▄▄▄"),
            (vec![100.0, 120.0, 110.0], "▁▇▄"),
        ] {
            assert_eq!(line(&values, 4), want, "{values:?}");
        }
    }
}
