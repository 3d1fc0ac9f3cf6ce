export type Bar = { readonly label: string; readonly value: number; readonly isOwn: boolean };
export type BarGroup = { readonly title: string; readonly unit: string; readonly bars: readonly Bar[] };

const WIDTH = 760;
const LABEL = 230;
const VALUE = 110;
const BAR = 18;
const GAP = 6;
const TITLE = 34;
const PADDING = 16;

/** Horizontal bars in groups, each group on a scale of its own, as an SVG that is readable on light and dark pages. */
export function barChart(groups: readonly BarGroup[]): string {
  const parts: string[] = [];
  let y = PADDING;
  for (const { title, unit, bars } of groups) {
    parts.push(text(PADDING, y + 16, `${title} (${unit})`, 'font-weight="bold"'));
    y += TITLE - GAP;
    const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
    for (const { label, value, isOwn } of bars) {
      const width = Math.max(1, (value / most) * (WIDTH - LABEL - VALUE - PADDING));
      parts.push(text(LABEL - 8, y + 14, label, 'text-anchor="end"'));
      parts.push(
        `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${isOwn ? '#d9730d' : '#7d8590'}"/>`,
      );
      parts.push(text(LABEL + width + 6, y + 14, numberText(value), ''));
      y += BAR + GAP;
    }
    y += PADDING;
  }
  const size = `width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="13" role="img">`,
    '<title>Gantry beside others</title>',
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}" fill="#1f2328" ${attributes}>${escaped(content)}</text>`;
}

function numberText(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
