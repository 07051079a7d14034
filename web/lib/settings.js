/* settings.js - a run's configuration as flat names and texts, and in which settings runs differ. */

/** @typedef {import('./api.js').Run} Run */
/** @typedef {import('./form.js').Property} Property */

/** A layer as a person writes it: 500, or "conv 40 5×5". @param {any} layer */
function layerText(layer) {
    if (typeof layer !== 'object' || layer === null) return String(layer);
    const { kind, channels, kernel, stride = 1, padding = 0, pool = 1, ...rest } = layer;
    if (kind !== 'conv' || Object.keys(rest).length) return JSON.stringify(layer);
    const parts = [`conv ${channels} ${kernel}×${kernel}`];
    if (stride > 1) parts.push(`stride ${stride}`);
    if (padding) parts.push(`padding ${padding}`);
    if (pool > 1 || pool === true) parts.push(`pool ${pool === true ? 2 : pool}`);
    return parts.join(' ');
}

/** A setting's value as text: "500, 300, 10", "0.002", "on". @param {any} value */
export function settingText(value) {
    if (Array.isArray(value)) return value.map(layerText).join(', ');
    if (typeof value === 'boolean') return value ? 'on' : 'off';
    if (value === undefined || value === null) return '–';
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** What a setting may be. @param {Property} property @returns {string} */
export function valuesText(property) {
    const limits = property.oneOf?.[0] ?? property;
    const text = (/** @type {number} */ value) => value.toLocaleString('en', { maximumFractionDigits: 9 });
    if (property.enum) return property.enum.join(', ');
    if (property.properties)
        return Object.entries(property.properties)
            .map(([name, part]) => `${name} ${valuesText(part)}`)
            .join('; ');
    if (property.type === 'boolean') return 'on, off';
    if (limits.maximum === undefined) return property.type ?? '';
    if (limits.exclusiveMinimum !== undefined)
        return `more than ${text(limits.exclusiveMinimum)}, at most ${text(limits.maximum)}`;
    return `${text(limits.minimum ?? 0)} to ${text(limits.maximum)}`;
}

/** The value at "dropout.pixels". @param {Record<string, any>} config @param {string} path */
export const settingAt = (config, path) =>
    path.split('.').reduce((/** @type {any} */ value, name) => value?.[name], config);

/**
 * All names of settings in a configuration, an object's parts each by itself: "dropout.pixels".
 * @param {Record<string, any>} config
 * @param {string} [before]
 * @returns {string[]}
 */
export const settingPaths = (config, before = '') =>
    Object.entries(config).flatMap(([name, value]) =>
        value !== null && typeof value === 'object' && !Array.isArray(value)
            ? settingPaths(value, `${before}${name}.`)
            : [before + name],
    );

/** Settings in which these runs are not all alike, in the order of the configuration.
 * @param {Run[]} runs @returns {string[]} */
export function differingSettings(runs) {
    if (runs.length < 2) return [];
    const paths = new Set(runs.flatMap(({ config }) => settingPaths(config)));
    return [...paths].filter((path) => {
        const first = JSON.stringify(settingAt(runs[0].config, path));
        return runs.some(({ config }) => JSON.stringify(settingAt(config, path)) !== first);
    });
}

/**
 * A setting's values in several runs; where it is an object, those of its parts that are not all alike.
 * @param {{name: string, values: any[]}} setting
 * @returns {{name: string, values: any[]}[]}
 */
export function differingValues({ name, values }) {
    if (!values.every((value) => value !== null && typeof value === 'object' && !Array.isArray(value)))
        return [{ name, values }];
    return [...new Set(values.flatMap((value) => Object.keys(value)))]
        .map((part) => ({ name: `${name}.${part}`, values: values.map((value) => value[part]) }))
        .filter((part) => part.values.some((value) => JSON.stringify(value) !== JSON.stringify(part.values[0])));
}
