//! The 256 colours of terminals as xterm has them: 16, a cube of six steps, 24 greys.

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// The first 16; a terminal's own may differ.
const LOW: [Rgb; 16] = [
    (0x00, 0x00, 0x00),
    (0xcd, 0x00, 0x00),
    (0x00, 0xcd, 0x00),
    (0xcd, 0xcd, 0x00),
    (0x00, 0x00, 0xee),
    (0xcd, 0x00, 0xcd),
    (0x00, 0xcd, 0xcd),
    (0xe5, 0xe5, 0xe5),
    (0x7f, 0x7f, 0x7f),
    (0xff, 0x00, 0x00),
    (0x00, 0xff, 0x00),
    (0xff, 0xff, 0x00),
    (0x5c, 0x5c, 0xff),
    (0xff, 0x00, 0xff),
    (0x00, 0xff, 0xff),
    (0xff, 0xff, 0xff),
];

/// Colour `index`.
pub fn rgb(index: u8) -> Rgb {
    if let Some(low) = LOW.get(usize::from(index)) {
        return *low;
    }
    if let Some(grey) = index.checked_sub(232) {
        let value = 8 + 10 * grey;
        return (value, value, value);
    }
    let step = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
    let cube = index - 16;
    (step(cube / 36), step(cube / 6 % 6), step(cube % 6))
}

/// The nearest of the first 16.
pub fn nearest_low((r, g, b): Rgb) -> u8 {
    let far = |(x, y, z): Rgb| {
        [(x, r), (y, g), (z, b)]
            .map(|(one, other)| u32::from(one.abs_diff(other)).pow(2))
            .iter()
            .sum::<u32>()
    };
    (0_u8..)
        .zip(LOW)
        .min_by_key(|(_, low)| far(*low))
        .map_or(7, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_is_xterms() {
        for (index, want) in [
            (1, (0xcd, 0, 0)),
            (16, (0, 0, 0)),
            (21, (0, 0, 255)),
            (208, (255, 135, 0)),
            (231, (255, 255, 255)),
            (232, (8, 8, 8)),
            (255, (238, 238, 238)),
        ] {
            assert_eq!(rgb(index), want, "{index}");
        }
    }

    #[test]
    fn the_nearest_of_16_is_found() {
        for (index, want) in [
            (9, 9),
            (196, 9),
            (208, 3),
            (231, 15),
            (240, 8),
            (16, 0),
            (21, 4),
        ] {
            assert_eq!(nearest_low(rgb(index)), want, "{index}");
        }
    }
}
