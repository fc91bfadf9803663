//! Values as a line of bars, a character each.

const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last values, from 0 to their most; a blank for what is no finite number.
pub fn line(values: &[f64], columns: usize) -> String {
    let first = values.len().saturating_sub(columns);
    let values = values.get(first..).unwrap_or(&[]);
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let most = finite.fold(0.0, f64::max);
    values.iter().map(|value| bar(*value, most)).collect()
}

fn bar(value: f64, most: f64) -> char {
    if !value.is_finite() {
        return ' ';
    }
    let part = if most > 0.0 { value / most * 7.0 } else { 0.0 };
    let steps = EIGHTHS.iter().zip(0_u32..);
    let fit = steps.take_while(|(_, step)| f64::from(*step) <= part + 0.5);
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
            (vec![0.0, 1.0, 2.0, 7.0], "▁▂▃█"),
            (vec![f64::NAN, 3.5, f64::INFINITY, -1.0], " █ ▁"),
            (vec![9.0, 9.0, 9.0, 9.0, 1.0, 0.0], "██▂▁"),
        ] {
            assert_eq!(line(&values, 4), want, "{values:?}");
        }
    }
}
