/* curl.js - an operation as a line for a shell, with values that this very server has.
 *
 * Every line works as it stands: path parameters are filled in, and where an operation takes a query or a body that it
 * can do without, there is a line without and a line with it. */

/** @typedef {import('./openapi.js').OpenApi} OpenApi */
/** @typedef {import('./openapi.js').Operation} Operation */
/** @typedef {Record<string, string | number>} Values of parameters that this server has: a data set, runs */

/** Where a server wants its token, lines take it from this variable of the shell. */
export const TOKEN = 'GOODNESS_TOKEN';

/** A word for a POSIX shell. @param {string} text */
const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** @param {Operation} operation @param {Values} values */
function pathOf(operation, values) {
    const example = (/** @type {string} */ name) =>
        operation.parameters.find((parameter) => parameter.name === name && parameter.in === 'path')?.example;
    return operation.path.replace(/\{([^}*]+)\*?\}/g, (_, name) =>
        encodeURIComponent(values[name] ?? example(name) ?? ''),
    );
}

/** "?limit=10&before=100": parameters of the query that have a value. @param {Operation} operation
 * @param {Values} values @param {boolean} all or only those that it cannot do without */
function queryOf(operation, values, all) {
    const texts = operation.parameters
        .filter((parameter) => parameter.in === 'query' && (all || parameter.required))
        .map(({ name, example }) => [name, values[name] ?? example])
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%2C', ',')}`);
    return texts.length ? `?${texts.join('&')}` : '';
}

/** What curl needs beside the address. @param {Operation} operation */
function optionsOf(operation) {
    const types = operation.answers[0]?.types.map(({ type }) => type) ?? [];
    const options = ['curl'];
    if (types.includes('text/event-stream')) options.push('-N');
    if (types.includes('application/octet-stream')) options.push('-o', `${operation.id}.bin`);
    return options;
}

/**
 * @param {OpenApi} api
 * @param {Operation} operation
 * @param {{origin: string, values: Values, token: boolean}} server origin: "http://127.0.0.1:7007"; token: it wants one
 * @returns {{line: string, what: string}[]} what: what the line shows, '' for the first
 */
export function curlLines(api, operation, { origin, values, token }) {
    const address = origin + pathOf(operation, values);
    const [least, all] = [false, true].map((each) => queryOf(operation, values, each));
    const options = optionsOf(operation);
    const method = operation.method === 'GET' ? [] : ['-X', operation.method];
    const header = token ? ` -H "Authorization: Bearer $${TOKEN}"` : '';
    const line = (/** @type {string[]} */ ...more) =>
        options.map(quoted).join(' ') + header + ' ' + more.map(quoted).join(' ');
    const example = operation.body && api.exampleOf(operation.body.schema);
    /* --json alone is a POST. */
    const json = ['--json', JSON.stringify(example), ...(operation.method === 'POST' ? [] : method)];
    const usual = operation.body?.required ? json : method;
    const lines = [];

    if (!operation.body?.required && operation.method !== 'PATCH')
        lines.push({ line: line(...method, address + least), what: '' });
    if (example !== undefined && example !== null)
        lines.push({ line: line(...json, address + least), what: 'With a body' });
    if (all !== least) lines.push({ line: line(...usual, address + all), what: 'With every parameter' });
    return lines.map((each, i) => (i ? each : { ...each, what: '' }));
}
