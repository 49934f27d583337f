// bin/ai-pbx-gateway.js under an older node.
