package chat

// Surface is the door a call came through: a dialect, or the operator's own.
type Surface uint8

// The surfaces. The numbers are stored with credentials and spaces and never change.
const (
	SurfaceOperator  Surface = 1
	SurfaceOpenCord  Surface = 2
	SurfaceAgentChat Surface = 3
	SurfaceAIClient  Surface = 4
	SurfaceArgon     Surface = 5
)

// String gives the name used in metrics, logs and configuration.
func (s Surface) String() string {
	switch s {
	case SurfaceOperator:
		return "operator"
	case SurfaceOpenCord:
		return "opencord"
	case SurfaceAgentChat:
		return "agentchat"
	case SurfaceAIClient:
		return "aiclient"
	case SurfaceArgon:
		return "argon"
	}
	return "unknown"
}
