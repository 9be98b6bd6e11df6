const [width, height] = [760, 420];
const margin = { left: 56, right: 170, top: 20, bottom: 44 };
const colours = { bandit: '#1f77b4', full: '#d62728' };
const dashes = ['6 4', '2 3', '10 4', '1 4'];

/**
 * Curves with bands over horizontal lines, as an SVG that reads in light and in dark.
 * curves: [{ name, points: [{ x, mean, half }] }]; lines: [{ name, y }].
 */
export function curvesSvg({ curves, lines, xTitle, yTitle }) {
  const points = curves.flatMap((curve) => curve.points);
  const right = Math.max(...points.map(({ x }) => x));
  const heights = [...points.flatMap(({ mean, half }) => [mean - half, mean + half]), ...lines.map(({ y }) => y)];
  const step =
    [0.01, 0.02, 0.05, 0.1, 0.2].find((size) => (Math.max(...heights) - Math.min(...heights)) / size <= 8) ?? 0.25;
  const low = Math.floor(Math.min(...heights) / step) * step;
  const high = Math.ceil(Math.max(...heights) / step) * step;
  const x = (value) => (margin.left + (value / right) * (width - margin.left - margin.right)).toFixed(1);
  const y = (value) =>
    (margin.top + ((high - value) / (high - low)) * (height - margin.top - margin.bottom)).toFixed(1);
  const parts = [];
  for (let tick = low; tick <= high + step / 2; tick += step) {
    parts.push(`<line class="grid" x1="${x(0)}" x2="${x(right)}" y1="${y(tick)}" y2="${y(tick)}"/>`);
    parts.push(`<text x="${margin.left - 8}" y="${y(tick)}" dy="4" text-anchor="end">${tick.toFixed(2)}</text>`);
  }
  for (let i = 0; i <= 5; i++) {
    const value = Math.round((right * i) / 5);
    parts.push(`<text x="${x(value)}" y="${height - margin.bottom + 18}" text-anchor="middle">${value}</text>`);
  }
  const labels = [];
  for (const [i, { name, y: at }] of lines.entries()) {
    parts.push(
      `<line class="base" stroke-dasharray="${dashes[i % 4]}" x1="${x(0)}" x2="${x(right)}" y1="${y(at)}" y2="${y(at)}"/>`,
    );
    labels.push({ name, at: Number(y(at)), colour: undefined });
  }
  for (const { name, points: own } of curves) {
    const upper = own.map((point) => `${x(point.x)},${y(point.mean + point.half)}`);
    const lower = own.map((point) => `${x(point.x)},${y(point.mean - point.half)}`).reverse();
    const colour = colours[name];
    parts.push(`<polygon fill="${colour}" fill-opacity="0.2" points="${[...upper, ...lower].join(' ')}"/>`);
    const line = own.map((point) => `${x(point.x)},${y(point.mean)}`).join(' ');
    parts.push(`<polyline fill="none" stroke="${colour}" stroke-width="2" points="${line}"/>`);
    labels.push({ name: `policy, ${name}`, at: Number(y(own.at(-1).mean)), colour });
  }
  labels.sort((one, other) => one.at - other.at);
  let free = 0; // no label on another
  for (const { name, at, colour } of labels) {
    const place = Math.max(at, free);
    free = place + 15;
    const fill = colour === undefined ? '' : ` style="fill:${colour}"`;
    parts.push(`<text x="${width - margin.right + 8}" y="${place.toFixed(1)}" dy="4"${fill}>${name}</text>`);
  }
  const middle = (height - margin.bottom) / 2;
  parts.push(`<text x="${x(right / 2)}" y="${height - 8}" text-anchor="middle">${xTitle}</text>`);
  parts.push(`<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${yTitle}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${yTitle} over ${xTitle}">
<style>text{font:12px sans-serif;fill:#333}.grid{stroke:#8884}.base{stroke:#777;stroke-width:1.5}svg{background:#fff}@media(prefers-color-scheme:dark){svg{background:#161b22}text{fill:#ccc}.base{stroke:#aaa}}</style>
${parts.join('\n')}
</svg>
`;
}
