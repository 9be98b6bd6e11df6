// Draws the charts of the page. It runs in a browser, beside echarts, under a policy that allows no other script.
(function () {
  const { echarts } = globalThis;
  const { charts, slices } = JSON.parse(document.getElementById('charts').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const drawn = new Map();

  /** What depends on light and dark. */
  function inks(isDark) {
    return isDark
      ? { text: '#c6cfdb', line: '#343c48', paper: '#1d232b', map: ['#1b2330', '#23508c', '#5fa8e8', '#fbe48a'] }
      : { text: '#3d4757', line: '#dbe0e7', paper: '#ffffff', map: ['#f2f5fa', '#9fc5ee', '#2b7de9', '#0d2f63'] };
  }

  function shown(value) {
    return typeof value === 'number' ? String(Number(value.toPrecision(4))) : '–';
  }

  /** The tooltip of a point on an axis: every visible line but those of a band. */
  function axisTooltip(name, points) {
    const visible = points.filter(({ seriesId }) => !String(seriesId).includes('band-'));
    if (visible.length === 0) return '';
    const escape = echarts.format.encodeHTML;
    const rows = visible.map(({ marker, seriesName, value }) => {
      const number = Array.isArray(value) ? value[1] : value;
      return `${marker}${escape(String(seriesName))}: <b>${escape(shown(number))}</b>`;
    });
    const at = visible[0].axisValue;
    return [`${name} ${escape(typeof at === 'number' ? shown(at) : String(at))}`, ...rows].join('<br>');
  }

  function styled(options, isDark) {
    const ink = inks(isDark);
    const axis = (given) => ({
      ...given,
      nameTextStyle: { color: ink.text, ...given.nameTextStyle },
      axisLabel: { color: ink.text, hideOverlap: true, ...given.axisLabel },
      axisLine: { lineStyle: { color: ink.line } },
      axisTick: { lineStyle: { color: ink.line } },
      splitLine: { show: given.type === 'value', lineStyle: { color: ink.line } },
    });
    const tooltip = {
      backgroundColor: ink.paper,
      borderColor: ink.line,
      textStyle: { color: ink.text, fontSize: 12 },
      ...options.tooltip,
    };
    if (tooltip.trigger === 'axis') tooltip.formatter = (points) => axisTooltip(options.xAxis.name, points);
    else tooltip.valueFormatter = (value) => (Array.isArray(value) ? value.map(shown).join(', ') : shown(value));
    return {
      ...options,
      backgroundColor: 'transparent',
      textStyle: { fontFamily: 'system-ui, sans-serif', color: ink.text },
      ...(options.legend && {
        legend: {
          ...options.legend,
          data: options.series.map(({ name }) => name).filter(Boolean),
          textStyle: { color: ink.text },
          inactiveColor: isDark ? '#5a6472' : '#aab2bd',
          pageTextStyle: { color: ink.text },
          pageIconColor: ink.text,
        },
      }),
      tooltip,
      xAxis: axis(options.xAxis),
      yAxis: axis(options.yAxis),
      ...(options.visualMap && {
        visualMap: { ...options.visualMap, inRange: { color: ink.map }, textStyle: { color: ink.text } },
      }),
    };
  }

  /** The map's options for the chosen part and measure. */
  function mapOptions(options) {
    const { reward, chosen } = slices[Number(document.getElementById('action-map-slice').value)];
    const measure = document.getElementById('action-map-measure').value;
    const values = measure === 'reward' ? reward : chosen;
    document.getElementById('action-map-empty').textContent =
      values === undefined ? 'The run does not hold this measure of this part.' : '';
    const width = options.xAxis.data.length;
    const data = (values ?? []).map((value, i) => [i % width, Math.floor(i / width), value]);
    const all = values ?? [0, 1];
    const low = measure === 'chosen' ? 0 : Math.min(...all);
    const high = Math.max(...all);
    const formatter = ({ value: [b, a, number] }) => {
      const action = `a = ${options.yAxis.data[a]}, b = ${options.xAxis.data[b]}`;
      return echarts.format.encodeHTML(
        `${action}: ${measure === 'chosen' ? `${shown(100 * number)} %` : shown(number)}`,
      );
    };
    return {
      ...options,
      tooltip: { ...options.tooltip, formatter },
      visualMap: { ...options.visualMap, min: low, max: high > low ? high : low + 1e-6 },
      series: [{ ...options.series[0], name: measure === 'reward' ? 'mean reward' : 'choices', data }],
    };
  }

  function draw(isDark) {
    for (const element of document.querySelectorAll('[data-chart]')) {
      const id = element.dataset.chart;
      drawn.get(id)?.dispose();
      element.style.height = `${element.dataset.height}px`;
      const chart = echarts.init(element, null, { renderer: 'svg' });
      const options = id === 'action-map' ? mapOptions(charts[id]) : charts[id];
      chart.setOption(styled(options, isDark));
      drawn.set(id, chart);
    }
  }

  draw(dark.matches);
  dark.addEventListener('change', () => draw(dark.matches));
  addEventListener('beforeprint', () => draw(false));
  addEventListener('afterprint', () => draw(dark.matches));
  addEventListener('resize', () => drawn.forEach((chart) => chart.resize()));
  for (const id of ['action-map-slice', 'action-map-measure']) {
    document.getElementById(id)?.addEventListener('change', () => draw(dark.matches));
  }
})();
