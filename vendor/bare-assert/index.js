'use strict';
// Node brings assert itself; the Bare runtime's copy would only add packages to what the keep loads.
module.exports = require('node:assert');
